//! The search against simulated suites with planted truth, and against simulated rivals: `cargo bench --bench search`.
//!
//! `cargo bench --bench search -- grid [HUNTS]` and `-- rivals` print one part. Everything is seeded: the same numbers
//! come out every time, but for the seconds.

#[path = "../../tests/support/driver.rs"]
mod driver;
mod grid;
#[path = "../../tests/support/judge.rs"]
mod judge;
#[path = "../../tests/support/planted.rs"]
mod planted;
mod rivals;
#[path = "../../tests/support/scenarios.rs"]
mod scenarios;

fn main() {
    // Cargo adds `--bench` to what was typed.
    let typed: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with("--")).collect();
    let part = typed.first().map(String::as_str);
    if part.is_none_or(|part| part == "grid") {
        let number = |at: usize| typed.get(at).and_then(|word| word.parse().ok());
        grid::print(number(1).unwrap_or(10_000), typed.get(2).map(String::as_str));
    }
    if part.is_none_or(|part| part == "rivals") {
        rivals::print();
    }
}
