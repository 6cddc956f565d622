//! The program over a real object store and a real key server: what it destroys is gone from them too, and either
//! of them may be killed at any moment.
//!
//! `cargo xtask servers` installs them. `TENURE_WITHOUT_SERVERS=1` leaves these tests out.

mod erased;
mod keys;
mod killed;
mod world;
