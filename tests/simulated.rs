//! The search against simulated suites with planted truth.

#[path = "support/planted.rs"]
mod planted;

use flakehunt::core::hunt::{Care, Goal};
use planted::*;

#[test]
fn probe_kinds() {
    let kinds = [
        (Kind::Independent(1), 0, 1.0),
        (Kind::Independent(2), 0, 1.0),
        (Kind::Independent(3), 1, 1.0),
        (Kind::Independent(1), 3, 1.0),
        (Kind::Independent(1), 0, 0.5),
        (Kind::Joint(2), 0, 1.0),
        (Kind::Joint(3), 0, 1.0),
        (Kind::Joint(2), 2, 1.0),
        (Kind::Chain(2), 0, 1.0),
        (Kind::Chain(3), 0, 1.0),
        (Kind::Brittle(1), 0, 1.0),
        (Kind::Brittle(3), 0, 1.0),
        (Kind::BrittleChain, 0, 1.0),
        (Kind::Noisy, 0, 0.3),
        (Kind::Noisy, 0, 0.1),
        (Kind::Broken, 0, 1.0),
        (Kind::Import, 0, 1.0),
    ];
    for (kind, cleaners, chance) in kinds {
        for n in [20, 60] {
            let mut total = Score::default();
            let mut further = Vec::new();
            let mut questions = Vec::new();
            let mut shown = 0;
            for seed in 0..40 {
                let mut rng = rng(seed);
                let planted = plant(n, kind, cleaners, chance, &mut rng);
                let goal = Goal::Shuffle { orders: orders(n, 50, &mut rng), bisect: true };
                let out = drive(&planted, goal, Care::default(), 1, &mut rng);
                let score = judge(&planted, &out.verdicts, |line| {
                    if shown < 2 {
                        shown += 1;
                        println!("   seed {seed}: {line}")
                    }
                });
                total.wrong += score.wrong;
                total.right += score.right;
                total.missing += score.missing;
                total.undecided += score.undecided;
                further.push(out.further.map_or(9999, |f| f.0));
                questions.push(out.questions);
            }
            further.sort();
            questions.sort();
            println!(
                "{kind:?} n={n} cleaners={cleaners} chance={chance}: right {} wrong {} missing {} undecided {}; further median {} questions {}",
                total.right, total.wrong, total.missing, total.undecided, further[20], questions[20]
            );
        }
    }
}
