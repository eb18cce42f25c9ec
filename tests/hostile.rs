//! Children that fight back: whatever they do, they end, are told apart, and leave nothing behind.
//!
//! Nothing waits for a time to pass: a limit starts to run when the child says that it is ready. Survivors are seen
//! in `/proc`, so these tests run on Linux.
#![cfg(target_os = "linux")]

#[path = "hostile/support.rs"]
mod support;

use std::time::Duration;

use flakehunt::core::run::ProcessEnd;
use flakehunt::process::{
    Cancel, Child, Copier, Ended, Group, Limit, Limits, Settled, Signal, Sink, Stdin, Stopped, govern, never,
    settle, supervise,
};
use support::{ENDLESS, IMPATIENT, Ready, Scene, block_on, read, script, until};
use tokio::io::AsyncWriteExt;

/// Runs a script to its end; it must leave no process but the named ones.
fn run(scene: &Scene, name: &str, arguments: &[&str], limits: Limits) -> Ended {
    let ended = block_on(supervise(scene.script(name, arguments), limits, &mut scene.ready(), never()));
    let ended = ended.expect("it was started and waited for");
    assert_eq!(scene.alive(), ended.escaped, "what lives is what was reported");
    ended
}

#[test]
fn exit_codes_and_signals_are_told_apart() {
    for (line, end) in [
        ("exit 0", ProcessEnd::Exited(0)),
        ("exit 255", ProcessEnd::Exited(255)),
        ("kill -SEGV $$", ProcessEnd::Signalled(11)),
        ("kill -KILL $$", ProcessEnd::Signalled(9)),
        ("kill -INT $$", ProcessEnd::Signalled(2)),
    ] {
        let scene = Scene::new();
        let ended = block_on(supervise(scene.command(["sh", "-c", line]), ENDLESS, &mut (), never()));
        let ended = ended.expect("it was started");
        assert_eq!((ended.end, ended.timed_out, ended.leaked), (end, None, false), "{line}");
    }
}

#[test]
fn both_outputs_arrive_in_order_and_input_is_empty() {
    let scene = Scene::new();
    let line = "echo one; echo two >&2; cat; echo three";
    let mut command = scene.command(["sh", "-c", line]);
    command.output = Sink::Capture { cap: 1000 };
    let ended = block_on(supervise(command, ENDLESS, &mut (), never())).expect("it was started");
    assert_eq!(ended.output.captured, b"one\ntwo\nthree\n");
    assert_eq!((ended.output.bytes, ended.output.left_out), (14, 0));
}

#[test]
fn a_piped_input_reaches_the_child() {
    let scene = Scene::new();
    let mut command = scene.command(["sh", "-c", "read line; echo got $line; cat"]);
    command.stdin = Stdin::Piped;
    block_on(async {
        let mut child = Child::start(command).await.expect("it was started");
        let mut input = child.take_stdin().expect("its input");
        let mut watch = ();
        let end = child.until_end(ENDLESS, &mut watch, never());
        let talk = async {
            input.write_all(b"hello\n").await.expect("it reads");
            until("the answer", || scene.output() == "got hello\n").await;
            drop(input);
        };
        let (ended, ()) = tokio::join!(end, talk);
        assert_eq!(ended.expect("it was waited for").end, ProcessEnd::Exited(0));
    });
}

#[test]
fn who_ignores_sigint_gets_sigabrt_and_then_sigkill() {
    for ignored in [
        &["SIGINT"][..],
        &["SIGINT", "SIGTERM"],
        &["SIGINT", "SIGTERM", "SIGHUP", "SIGABRT", "SIGQUIT", "SIGCONT"],
    ] {
        let scene = Scene::new();
        let ended = run(&scene, "ignore.py", ignored, IMPATIENT);
        assert_eq!((ended.end, ended.timed_out), (ProcessEnd::TimedOut, Some(Limit::Test)), "{ignored:?}");
    }
}

#[test]
fn sigabrt_brings_the_traceback_and_no_core_file() {
    let scene = Scene::new();
    let mut command = scene.script("ignore.py", &["SIGINT"]);
    command.argv.splice(1..1, ["-X".into(), "faulthandler".into()]);
    let limits = Limits { grace: Duration::from_secs(1), ..IMPATIENT };
    let ended = block_on(supervise(command, limits, &mut scene.ready(), never())).expect("it was started");
    assert_eq!(ended.end, ProcessEnd::TimedOut);
    assert!(scene.output().contains("Fatal Python error: Aborted"), "{}", scene.output());
    let files: Vec<_> = fs_err::read_dir(scene.path(".")).expect("the folder").flatten().collect();
    assert_eq!(files.len(), 1, "{files:?}");
}

#[test]
fn exit_code_0_after_our_signal_is_no_pass() {
    let scene = Scene::new();
    let ended = run(&scene, "exit0.py", &[], Limits { grace: ENDLESS.grace, ..IMPATIENT });
    assert_eq!((ended.end, ended.timed_out), (ProcessEnd::TimedOut, Some(Limit::Test)));
    assert_eq!(scene.output(), "ready\ninterrupted\n");
}

#[test]
fn a_stopped_child_still_ends_politely() {
    let scene = Scene::new();
    // Only SIGCONT lets it come to its handler before SIGKILL would.
    let ended = run(&scene, "stop.py", &[], Limits { grace: ENDLESS.grace, ..IMPATIENT });
    assert_eq!(ended.end, ProcessEnd::TimedOut);
    assert_eq!(scene.output(), "ready\ninterrupted\n");
}

#[test]
fn a_run_limit_needs_no_watch() {
    let scene = Scene::new();
    let limits = Limits {
        test: None,
        run: Some(Duration::from_millis(1)),
        linger: None,
        grace: Duration::from_millis(50),
    };
    let ended = block_on(supervise(scene.command(["sleep", "3600"]), limits, &mut (), never()));
    let ended = ended.expect("it was started");
    assert_eq!((ended.end, ended.timed_out), (ProcessEnd::TimedOut, Some(Limit::Run)));
}

#[test]
fn a_flood_keeps_its_ends_and_costs_no_memory() {
    const FLOOD: u64 = 200 << 20;
    let scene = Scene::new();
    let ended = run(&scene, "flood.py", &[&FLOOD.to_string()], ENDLESS);
    assert_eq!(ended.end, ProcessEnd::Exited(0));
    assert_eq!(ended.output.bytes, FLOOD + 15 + 14);
    assert_eq!(ended.output.left_out, ended.output.bytes - (1 << 20));
    let output = scene.output();
    let marker = format!("\n[flakehunt: {} bytes left out]\n", ended.output.left_out);
    assert_eq!(output.len(), (1 << 20) + marker.len());
    assert!(output.starts_with("the first line\nxxx") && output.ends_with("xxx\nthe last line\n"));
    assert!(output.contains(&marker));
    let status = read("/proc/self/status".as_ref());
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("the peak of our memory");
    let kibibytes: u64 = peak.trim().trim_end_matches(" kB").parse().expect("a number");
    assert!(kibibytes < 100 << 10, "{kibibytes} KiB");
}

#[test]
fn what_stays_behind_in_the_group_is_killed() {
    for how in ["hold", "quiet", "twice"] {
        let scene = Scene::new();
        let ended = run(&scene, "leave.py", &[how], ENDLESS);
        assert_eq!((ended.end, ended.leaked), (ProcessEnd::Exited(7), true), "{how}");
        assert!(ended.escaped.is_empty(), "{how}");
        assert!(scene.output().starts_with("left "), "{how}");
    }
}

#[test]
fn who_left_the_group_is_reported() {
    for (how, leaked) in [("setsid", false), ("hold-setsid", true)] {
        let scene = Scene::new();
        let ended = run(&scene, "leave.py", &[how], ENDLESS);
        assert_eq!((ended.end, ended.leaked), (ProcessEnd::Exited(7), leaked), "{how}");
        let pid: i32 = scene.output().trim().trim_start_matches("left ").parse().expect("its number");
        assert_eq!(ended.escaped, [pid], "{how}");
        let left = Group::of(pid);
        block_on(left.sweep());
        assert!(scene.alive().is_empty(), "{how}");
    }
}

#[test]
fn processor_time_is_the_childs_and_its_childrens() {
    let scene = Scene::new();
    let ended = run(&scene, "burn.py", &["0.15"], ENDLESS);
    assert!(ended.cpu >= Duration::from_millis(290), "{:?}", ended.cpu);
}

#[test]
fn a_cancellation_is_polite_first_and_final_second() {
    // The grace is an hour: who ignores the polite one is ended only by the second.
    for (name, arguments, wishes, said) in [
        ("exit0.py", &[][..], &[Cancel::Politely][..], "ready\ninterrupted\n"),
        ("ignore.py", &["SIGINT"], &[Cancel::Politely, Cancel::AtOnce], "ready\n"),
    ] {
        let scene = Scene::new();
        let (cancel, cancelled) = tokio::sync::watch::channel(Cancel::No);
        let mut watch = ();
        let end = supervise(scene.script(name, arguments), ENDLESS, &mut watch, cancelled);
        let person = async {
            until("ready", || scene.output().contains("ready\n")).await;
            for wish in wishes {
                cancel.send(*wish).expect("somebody listens");
                tokio::task::yield_now().await;
            }
        };
        let (ended, ()) = block_on(async { tokio::join!(end, person) });
        assert_eq!(ended.expect("it was waited for").end, ProcessEnd::Cancelled, "{name}");
        assert_eq!((scene.output().as_str(), scene.alive().len()), (said, 0), "{name}");
    }
}

#[test]
fn dropping_the_supervisor_kills_the_group_and_leaves_no_zombie() {
    let scene = Scene::new();
    block_on(async {
        let line = "trap '' INT TERM HUP; sleep 3600 & (sleep 3600 &) ; echo ready; wait";
        let child = Child::start(scene.command(["sh", "-c", line])).await.expect("it was started");
        let process = format!("/proc/{}", child.id());
        let mut watch = ();
        {
            let mut end = std::pin::pin!(child.until_end(ENDLESS, &mut watch, never()));
            tokio::select! {
                ended = &mut end => panic!("{ended:?}"),
                () = until("ready", || scene.output().contains("ready\n")) => {}
            }
            assert_eq!(scene.alive().len(), 3);
        }
        until("nobody lives", || scene.alive().is_empty()).await;
        until("it was reaped", || !fs_err::exists(&process).expect("/proc")).await;
    });
}

#[test]
fn a_forked_child_that_is_not_ours_is_limited_and_its_output_capped() {
    let scene = Scene::new();
    let fifo = scene.path("log");
    let log = scene.path("forked.log");
    block_on(async {
        let sink = Sink::File { path: log.clone(), cap: 8000 };
        let copier = Copier::from_fifo(&fifo, sink).expect("a FIFO");
        let server = scene.script("server.py", &[fifo.to_str().expect("a name")]);
        let server = Child::start(server).await.expect("it was started");
        until("forked", || scene.output().contains("forked ")).await;
        let pid = scene.output().trim().trim_start_matches("forked ").parse().expect("its number");
        let group = Group::of(pid);
        // The end of its output is in memory until it ends; that it has begun tells that it has its own group.
        until("its own group", || fs_err::metadata(&log).is_ok_and(|log| log.len() == 7000)).await;
        let limits = Limits { run: Some(Duration::from_millis(1)), ..IMPATIENT };
        let reaped = until("reaped", || scene.output().contains("reaped "));
        let governed = govern(&group, limits, &mut (), never(), reaped).await;
        group.leader_is_gone();
        let Settled { leaked, output } = settle(&group, copier).await;
        assert_eq!(governed.stopped, Some(Stopped::Limit(Limit::Run)));
        assert!(governed.exit.is_some() && !leaked && !group.signal(Signal::SIGINT));
        assert_eq!((output.bytes, output.left_out), (100_022, 92_022));
        assert!(read(&log).ends_with("xxx\nready\n"));
        let ended = server.until_end(ENDLESS, &mut (), never()).await.expect("it was waited for");
        assert_eq!(ended.end, ProcessEnd::Exited(0));
    });
    assert!(scene.output().ends_with("reaped 6\n"), "SIGABRT: {}", scene.output());
}

#[test]
fn what_cannot_be_started_is_named() {
    let scene = Scene::new();
    let mut nowhere = scene.command(["sh"]);
    nowhere.directory = "/no/such/directory".into();
    for (command, said) in [
        (scene.command(["/no/such/program"]), "cannot start /no/such/program: No such file"),
        (nowhere, "cannot start sh in /no/such/directory: No such file"),
        (scene.command([scene.path("")]), "Permission denied"),
        (scene.command::<&str>([]), "there is no program to start"),
    ] {
        let error = block_on(supervise(command, ENDLESS, &mut (), never())).expect_err("it cannot start");
        assert!(error.to_string().contains(said), "{error}");
    }
}

/// Starts this test binary again with only one of the tests below, which plays the driver.
fn driver(scene: &Scene, test: &str, through: &[&str]) -> flakehunt::process::Command {
    let this = std::env::current_exe().expect("our own path");
    let mut argv: Vec<std::ffi::OsString> = through.iter().map(Into::into).collect();
    argv.push(this.into());
    argv.extend([test, "--exact", "--ignored", "--nocapture"].map(Into::into));
    let mut command = scene.command(argv);
    command.env = vec![("HOSTILE_FOLDER".into(), Some(scene.path("").into()))];
    command
}

#[test]
fn inherited_signals_do_not_reach_the_child() {
    let scene = Scene::new();
    let deafened = script("deafened.py");
    let command = driver(&scene, "driver_deafened", &["python3", deafened.to_str().expect("a name")]);
    let ended = block_on(supervise(command, ENDLESS, &mut (), never())).expect("it was started");
    assert_eq!(ended.end, ProcessEnd::Exited(0), "{}", scene.output());
    assert!(scene.output().contains("1 passed"), "{}", scene.output());
}

#[test]
#[ignore = "played by inherited_signals_do_not_reach_the_child"]
fn driver_deafened() {
    let status = read("/proc/self/status".as_ref());
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:\t")).expect("a mask");
    let ignored = u64::from_str_radix(ignored, 16).expect("a mask");
    assert_eq!(ignored >> 1 & 1, 1, "SIGINT is ignored here");
    let scene = Scene::new();
    let ended = run(&scene, "signals.py", &[], ENDLESS);
    assert_eq!(ended.end, ProcessEnd::Exited(0), "SIGCHLD was ignored, and still the code is known");
    assert_eq!(scene.output(), "ignored SIGTTIN SIGTTOU\nblocked\ncore 0\n");
    let scene = Scene::new();
    let ended = run(&scene, "exit0.py", &[], Limits { grace: ENDLESS.grace, ..IMPATIENT });
    assert_eq!((ended.end, scene.output().as_str()), (ProcessEnd::TimedOut, "ready\ninterrupted\n"));
}

#[test]
fn a_driver_that_is_killed_takes_its_child_with_it() {
    let scene = Scene::new();
    block_on(async {
        let child = Child::start(driver(&scene, "driver_killed", &[])).await.expect("it was started");
        let inner = scene.path("inner.log");
        until("ready", || read(&inner).contains("ready\n")).await;
        let process = read(&scene.path("pid"));
        assert!(fs_err::exists(format!("/proc/{process}")).expect("/proc"));
        nix::sys::signal::kill(nix::unistd::Pid::from_raw(child.id()), Signal::SIGKILL).expect("it lives");
        let ended = child.until_end(ENDLESS, &mut (), never()).await.expect("it was waited for");
        assert_eq!(ended.end, ProcessEnd::Signalled(9));
        let environment = format!("/proc/{process}/environ");
        until("its child is gone", || {
            fs_err::read(&environment).is_ok_and(|all| all.is_empty())
                || !fs_err::exists(&environment).expect("/proc")
        })
        .await;
    });
}

#[test]
#[ignore = "played by a_driver_that_is_killed_takes_its_child_with_it"]
fn driver_killed() {
    #[expect(clippy::disallowed_methods, reason = "the test harness takes no arguments of ours")]
    let folder = std::env::var_os("HOSTILE_FOLDER").expect("set by the test");
    let folder = std::path::PathBuf::from(folder);
    let scene = Scene::new();
    let mut command = scene.script("ignore.py", &["SIGINT", "SIGTERM", "SIGHUP", "SIGPIPE"]);
    command.output = Sink::File { path: folder.join("inner.log"), cap: 1000 };
    block_on(async {
        let child = Child::start(command).await.expect("it was started");
        fs_err::write(folder.join("pid"), child.id().to_string()).expect("the folder");
        let mut watch = Ready(folder.join("inner.log"));
        let _ = child.until_end(ENDLESS, &mut watch, never()).await;
    });
}
