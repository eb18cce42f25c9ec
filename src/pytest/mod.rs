//! All that knows pytest.

pub mod collect;
pub mod executor;
pub mod folders;
mod follow;
pub mod fork;
pub mod interpreter;
pub mod invocation;
pub mod junit;
pub mod lasting;
pub mod pace;
pub mod plugin;
pub mod server;
pub mod slots;
pub mod spawn;
pub mod stream;
pub mod suite_file;
