mod follower;
mod presence;
mod scanner;
mod scanner_age;
mod setting;
