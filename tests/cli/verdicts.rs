//! Planted suites: the report says the truth and nothing else.

use serde_json::Value;

use crate::support::expected::{hunt, list, words};
use crate::support::pinned::Pinned::{Plugins, Pytest7, Pytest8, Pytest9};
use crate::support::project::Project;

/// One test for each suite whose truth is all in its `expected.toml`.
macro_rules! suites {
    ($($sentence:ident: $suite:literal with $pinned:expr;)*) => {$(
        #[test]
        fn $sentence() {
            hunt($suite, $pinned);
        }
    )*};
}

suites! {
    one_polluter_is_named: "one_polluter" with Pytest9;
    two_that_act_together_are_one_set: "joint" with Pytest9;
    three_that_act_alone_are_three_sets_and_the_cleaner_is_named: "independent" with Pytest9;
    a_brittle_test_has_its_setter_and_its_unsetter: "brittle" with Pytest9;
    setters_that_act_in_their_order_say_so: "chain" with Pytest9;
    a_coin_is_non_deterministic_and_a_broken_test_broken: "noise" with Pytest9;
    a_test_that_hangs_is_a_victim: "hang" with Pytest9;
    tests_that_end_the_process_are_victims: "crash" with Pytest9;
    tests_that_end_the_session_are_victims: "ends_session" with Pytest9;
    a_process_that_does_not_end_is_no_obstacle: "lingers" with Pytest9;
    ids_are_taken_as_they_are: "odd_ids" with Pytest9;
    a_file_that_pollutes_when_it_is_imported_is_named: "imports" with Pytest9;
    a_polluter_that_acts_only_where_another_file_is_imported_is_named: "import_switch" with Pytest9;
    a_victim_that_lacks_an_import_by_itself_is_a_victim: "import_lacks" with Pytest9;
    errors_in_setup_and_teardown_count: "fixtures" with Pytest9;
    an_unexpected_pass_counts_where_it_is_strict: "xfail" with Pytest9;
    unittest_cases_are_tests: "unittests" with Pytest9;
    the_teardown_of_a_class_pollutes: "classes" with Pytest9;
    victims_of_one_cause_are_one_cluster: "cluster" with Pytest9;
    interference_is_no_victim: "interference" with Pytest9;
    tests_with_one_id_are_told_apart: "duplicates" with Pytest9;
    a_project_that_orders_its_tests_itself_is_no_obstacle: "reorders" with Pytest9;
    plugins_that_shuffle_distribute_and_retry_are_no_obstacle: "plugins" with Plugins;
    what_tests_leave_behind_changes_nothing_and_ends_with_the_run: "leftovers" with Pytest9;
    pytest_7_takes_odd_ids: "odd_ids" with Pytest7;
    pytest_7_finds_a_cleaner: "independent" with Pytest7;
    pytest_7_sees_unittest: "unittests" with Pytest7;
    pytest_8_takes_odd_ids: "odd_ids" with Pytest8;
    pytest_8_sees_errors_in_fixtures: "fixtures" with Pytest8;
}

#[test]
fn ids_that_differ_at_every_collection_are_found_again() {
    let project = Project::suite("unstable_ids", Pytest9);
    let (ran, report) = project.report(&["shuffle", "--seeds", "4", "--seed-start", "1", "--jobs", "1"]);
    let ran = ran.code(1);
    let [victim] = list(&report["tests"]) else { panic!("{ran}") };
    let unstable = words(&report["suite"]["unstable"]);
    let polluters: Vec<&String> = unstable.iter().filter(|id| id.contains("test_polluter[")).collect();
    let victims: Vec<&String> = unstable.iter().filter(|id| id.contains("test_victim[")).collect();
    assert_eq!((unstable.len(), polluters.len(), victims.len()), (4, 2, 2), "{ran}");
    assert_eq!(victim["verdict"], "victim", "{ran}");
    assert_eq!(victim["id"], **victims[0], "{ran}");
    assert_eq!(list(&victim["polluters"]), [serde_json::json!([polluters[1]])], "{ran}");
    let doubts: Vec<&Value> =
        list(&report["notices"]).iter().filter(|notice| notice["about"] == "junit").collect();
    assert!(doubts.is_empty(), "{ran}");
    assert!(ran.stderr.contains("another one at every collection"), "{ran}");
}
