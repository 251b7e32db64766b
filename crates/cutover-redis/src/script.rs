//! The scripts that run in Redis, each of them one atomic step.

use std::sync::LazyLock;

use redis::Cmd;

/// A script with the hash under which Redis keeps it.
#[derive(Debug)]
pub(crate) struct Script {
    code: &'static str,
    hash: String,
}

impl Script {
    fn new(code: &'static str) -> Self {
        let hash = redis::Script::new(code).get_hash().to_owned();
        Self { code, hash }
    }

    pub(crate) fn call(&'static self, keys: &[String]) -> Call {
        Call { script: self, keys: keys.to_vec(), args: Vec::new() }
    }
}

/// A script with what it is called with.
#[derive(Debug)]
pub(crate) struct Call {
    script: &'static Script,
    keys: Vec<String>,
    args: Vec<Vec<u8>>,
}

impl Call {
    pub(crate) fn arg(mut self, arg: impl Into<Vec<u8>>) -> Self {
        self.args.push(arg.into());
        self
    }

    /// The call by hash: short, and refused if Redis has been restarted or its scripts flushed.
    pub(crate) fn by_hash(&self) -> Cmd {
        self.command("EVALSHA", &self.script.hash)
    }

    /// The call with the whole script, which Redis then keeps.
    pub(crate) fn by_code(&self) -> Cmd {
        self.command("EVAL", self.script.code)
    }

    fn command(&self, name: &str, script: &str) -> Cmd {
        let mut command = redis::cmd(name);
        command.arg(script).arg(self.keys.len()).arg(&*self.keys).arg(&*self.args);
        command
    }
}

/// Scripts that write say so by having no flags: Redis refuses them as a whole where they could not be finished, such as on a
/// replica or when its memory is used up.
macro_rules! scripts {
    ($($name:ident = $header:literal $file:literal;)*) => {
        $(pub(crate) static $name: LazyLock<Script> = LazyLock::new(|| {
            Script::new(concat!($header, include_str!("scripts/common.lua"), include_str!($file)))
        });)*
    };
}

scripts! {
    COMPARE_AND_SWAP = "#!lua\n" "scripts/compare_and_swap.lua";
    CLAIM = "#!lua\n" "scripts/claim.lua";
    KEEP = "#!lua\n" "scripts/keep.lua";
    CLAIMED = "#!lua flags=no-writes\n" "scripts/claimed.lua";
    EXPIRED = "#!lua flags=no-writes\n" "scripts/expired.lua";
    ADD_DISCREPANCIES = "#!lua\n" "scripts/add_discrepancies.lua";
    PAGE = "#!lua flags=no-writes\n" "scripts/page.lua";
}
