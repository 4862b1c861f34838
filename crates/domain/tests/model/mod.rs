pub mod guard;
pub mod health_lake;
pub mod system;
