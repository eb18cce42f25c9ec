//! All that knows pytest.

pub mod suite_file;
