//! All that knows pytest.

pub mod junit;
pub mod stream;
pub mod suite_file;
