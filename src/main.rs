//! The program: everything is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    roamwatt::cli::main(std::env::args_os())
}
