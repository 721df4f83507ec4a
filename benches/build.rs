//! Generates the code of the peers that have an interface language; without the feature `peers` does nothing.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    #[cfg(feature = "peers")]
    peers::generate()?;
    Ok(())
}

#[cfg(feature = "peers")]
mod peers {
    pub(crate) fn generate() -> Result<(), Box<dyn std::error::Error>> {
        println!("cargo::rerun-if-changed=idl");
        tonic_prost_build::configure()
            .bytes(".")
            .compile_protos(&["idl/echo.proto"], &["idl"])?;
        capnpc::CompilerCommand::new()
            .src_prefix("idl")
            .file("idl/echo.capnp")
            .default_parent_module(["contenders", "peers", "capnp"].map(String::from).to_vec())
            .run()?;
        Ok(())
    }
}
