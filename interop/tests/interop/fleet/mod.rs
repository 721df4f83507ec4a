//! A service with an instance in Python and one in Rust, either of which is killed under load.

mod load;
mod members;
mod of_python;
mod of_rust;
mod python_load;
