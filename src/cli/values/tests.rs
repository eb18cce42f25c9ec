use super::*;

#[test]
fn times_are_read_as_people_write_them() {
    for (text, seconds) in
        [("3", 3.0), ("3s", 3.0), ("10m", 600.0), ("2h30m", 9000.0), ("0.5", 0.5), ("1h 5s", 3605.0)]
    {
        let span: Span = text.parse().unwrap();
        assert_eq!(span.0, Duration::from_secs_f64(seconds), "{text}");
        assert_eq!(span.to_string().parse(), Ok(span), "{span} does not come back");
    }
    assert_eq!("150m".parse::<Span>().unwrap().to_string(), "2h30m");
    for text in ["", "-3", "-3s", "10 parsecs", "1d", "NaN", "inf", "1e300"] {
        let error = text.parse::<Span>().unwrap_err();
        assert!(error.contains("`2h30m`"), "{text}: {error}");
    }
    assert!("0".parse::<Span>().unwrap_err().contains("no time"));
    assert!("0s".parse::<Span>().unwrap_err().contains("no time"));
}

#[test]
fn numbers_are_read_and_refused_with_a_reason() {
    assert_eq!("auto".parse(), Ok(Jobs::Auto));
    assert_eq!("2".parse::<Jobs>().unwrap().to_string(), "2");
    for text in ["0", "-1", "two", "1.5", "Auto"] {
        assert!(text.parse::<Jobs>().unwrap_err().contains("`auto`"), "{text}");
    }
    assert_eq!(seed("18446744073709551615"), Ok(Seed(u64::MAX)));
    for text in ["-1", "abc", "1.5", "18446744073709551616", ""] {
        assert!(seed(text).unwrap_err().starts_with("a seed is a whole number"), "{text}");
    }
    assert_eq!(seed_count("50").unwrap().to_string(), "50");
    assert!(seed_count("0").unwrap_err().contains("--seed 7"));
    assert!(seed_count("many").unwrap_err().contains("whole number"));
    assert_eq!("1%".parse(), Ok(Percent(1.0)));
    assert_eq!(confidence("95"), Ok(Percent(95.0)));
    assert!(confidence("0.95").unwrap_err().contains("in percent"));
    assert!(
        confidence("100").is_err() && "0".parse::<Percent>().is_err() && "NaN".parse::<Percent>().is_err()
    );
}

#[test]
fn delays_are_one_time_several_or_growing() {
    let waits = |text: &str| text.parse::<Delay>().unwrap().0;
    let first = |text: &str| [0, 1, 2, 3].map(|round| waits(text).before(round));
    assert_eq!(first("2s"), [2_000; 4]);
    assert_eq!(first("0"), [0; 4]);
    assert_eq!(first("0s, 500ms,1m"), [0, 500, 60_000, 60_000]);
    assert_eq!(first("2s*2"), [2_000, 4_000, 8_000, 16_000]);
    assert_eq!(first("1*1.5"), [1_000, 1_500, 2_250, 3_375]);
    for text in ["", "fast", "2s,", "-1s", "2s*", "2s*0.5", "2s*x", "1s,2s*2", "2s*inf"] {
        let error = text.parse::<Delay>().unwrap_err();
        assert!(error.contains("`2s*2`"), "{text}: {error}");
    }
}

#[test]
fn reports_and_runs_are_read() {
    let target: ReportTarget = "junit=a=b.xml".parse().unwrap();
    assert_eq!(target, ReportTarget { format: ReportFormat::Junit, file: Some("a=b.xml".into()) });
    assert_eq!("json".parse::<ReportTarget>().unwrap().file, None);
    assert!("json=".parse::<ReportTarget>().unwrap_err().contains("missing"));
    assert!("pdf=x".parse::<ReportTarget>().unwrap_err().contains("`markdown`"));

    let run = |session: Option<&str>, run| RunName { session: session.map(str::to_owned), run: RunId(run) };
    assert_eq!("run17".parse(), Ok(ReplayTarget::Run(run(None, 17))));
    assert_eq!("3kq7/17".parse(), Ok(ReplayTarget::Run(run(Some("3kq7"), 17))));
    assert_eq!("3kq7/run17".parse(), Ok(run(Some("3kq7"), 17)));
    assert_eq!("17".parse(), Ok(run(None, 17)));
    assert_eq!("17".parse(), Ok(ReplayTarget::Seed(Seed(17))));
    for text in ["", "/17", "3kq7/", "run", "tests/test_a.py"] {
        assert!(text.parse::<ReplayTarget>().unwrap_err().contains("`run17`"), "{text}");
    }
    assert_eq!("orders/a.txt".parse(), Ok(OrderSource::File("orders/a.txt".into())));
    assert_eq!("7".parse(), Ok(OrderSource::Seed(Seed(7))));
    assert_eq!("run7".parse(), Ok(OrderSource::Run(run(None, 7))));
}
