//! Tells the tests whether the data that this project did not write lie beside the repository, so that
//! those that need them are counted as skipped, never as passed, where they are missing.

fn main() {
    let data = "../../../shared/data";
    println!("cargo::rustc-check-cfg=cfg(shared_data)");
    println!("cargo::rerun-if-changed={data}");
    if std::path::Path::new(data).is_dir() {
        println!("cargo::rustc-cfg=shared_data");
    }
}
