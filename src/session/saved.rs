//! What a session set out to do, as its journal keeps it: enough to build the same search again.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::core::hunt::{Care, Goal, Like, Plan, Planned, Repeats};
use crate::core::order::{OrderName, Shuffler};
use crate::core::rerun::Rerun;
use crate::core::test_id::{Suite, TestIdx};

/// A plan that can be written down.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SavedPlan {
    /// What to find out.
    pub goal: SavedGoal,
    /// How many runs at once.
    pub jobs: u32,
    /// Whether questions may be answered by forked children.
    pub forks: bool,
    /// The most that completeness may cost, in milliseconds.
    pub spare_ms: u64,
}

/// The question behind the questions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SavedGoal {
    /// `shuffle`.
    Shuffle {
        /// The orders after the baseline.
        orders: Vec<SavedOrder>,
        /// Look for causes.
        bisect: bool,
    },
    /// `bisect`.
    Bisect {
        /// The test.
        test: TestIdx,
        /// Orders in which it may fail.
        orders: Vec<SavedOrder>,
        /// End with the first proven answer.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        first: bool,
    },
    /// `rerun`.
    Rerun(Rerun),
    /// `replay`.
    Orders {
        /// What is run.
        orders: Vec<SavedOrder>,
        /// How it is run.
        #[serde(default)]
        like: Like,
    },
    /// `repeat`.
    Repeat {
        /// Which tests, and how.
        repeats: Repeats,
        /// The order at whose place each is run.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        order: Option<SavedOrder>,
    },
}

/// An order: by its name where the name says all, else as it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SavedOrder {
    /// Its short name.
    pub name: OrderName,
    /// The order, where the name does not determine it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<Vec<TestIdx>>,
}

impl SavedOrder {
    /// An order that its name determines.
    pub fn named(name: OrderName) -> Self {
        Self { name, order: None }
    }

    fn planned(self, shuffler: &Shuffler) -> Planned {
        let order: Vec<TestIdx> = self.order.or_else(|| shuffler.resolve(&self.name)).unwrap_or_default();
        Planned { name: self.name, order: Arc::from(order) }
    }
}

impl SavedPlan {
    /// The plan of a search over this suite.
    pub fn plan(self, suite: &Suite) -> Plan {
        let shuffler = Shuffler::new(suite);
        let all =
            |orders: Vec<SavedOrder>| orders.into_iter().map(|order| order.planned(&shuffler)).collect();
        let goal = match self.goal {
            SavedGoal::Shuffle { orders, bisect } => Goal::Shuffle { orders: all(orders), bisect },
            SavedGoal::Bisect { test, orders, first } => Goal::Bisect { test, orders: all(orders), first },
            SavedGoal::Rerun(rerun) => Goal::Rerun(rerun),
            SavedGoal::Orders { orders, like } => Goal::Orders { orders: all(orders), like },
            SavedGoal::Repeat { repeats, order } => {
                Goal::Repeat { repeats, order: order.map(|order| order.planned(&shuffler)) }
            }
        };
        Plan {
            goal,
            jobs: self.jobs,
            forks: self.forks,
            care: Care { spare_ms: self.spare_ms, ..Care::default() },
        }
    }
}
