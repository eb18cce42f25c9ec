//! All that knows pytest.

pub mod interpreter;
