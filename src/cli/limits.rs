//! What the operating system allows a process.

use super::failure::Failure;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Files that a process has open beside its sockets.
const SPARE: u64 = 100;

/// Lets this process have so many sockets open, as far as it may raise that itself: a common default is 1024.
///
/// # Errors
/// When the machine's hard limit is lower; the remedy says how to raise it.
pub fn allow_sockets(wanted: usize) -> Result<(), Failure> {
    let needed = u64::try_from(wanted).unwrap_or(u64::MAX).saturating_add(SPARE);
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    // No number means no limit.
    if current.is_none_or(|current| current >= needed) {
        return Ok(());
    }
    let raised = maximum.map_or(needed, |maximum| maximum.min(needed));
    let done = setrlimit(Resource::Nofile, Rlimit { current: Some(raised), maximum });
    if raised < needed || done.is_err() {
        let failure =
            Failure::new(format!("{wanted} connections need {needed} open files, {raised} are allowed"));
        return Err(failure.with_remedy(format!("raise the hard limit first: ulimit -Hn {needed}")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_sockets_are_always_allowed_and_endless_ones_never() {
        assert!(allow_sockets(10).is_ok());
        if getrlimit(Resource::Nofile).maximum.is_some() {
            let failure = allow_sockets(usize::MAX).unwrap_err();
            assert_eq!(failure.code(), super::super::failure::FAILED);
        }
    }
}
