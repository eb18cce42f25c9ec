//! All that knows pytest.
