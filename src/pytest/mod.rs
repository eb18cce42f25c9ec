//! All that knows pytest.

pub mod stream;
pub mod suite_file;
