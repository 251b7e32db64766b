//! The style sheet and the scripts, which are compiled in.

use std::sync::LazyLock;

/// A file that never changes while the process runs.
#[derive(Debug)]
pub(crate) struct Asset {
    pub(crate) content: &'static str,
    pub(crate) mime: &'static str,
    /// Another content has another version, which stands in links to it.
    pub(crate) version: &'static str,
}

pub(crate) fn style() -> &'static Asset {
    static STYLE: LazyLock<Asset> =
        LazyLock::new(|| Asset::new(include_str!("../../assets/style.css"), "text/css; charset=utf-8"));
    &STYLE
}

/// What keeps the nodes of a page that changes: the script needs it before itself.
pub(crate) fn morph() -> &'static Asset {
    static MORPH: LazyLock<Asset> =
        LazyLock::new(|| Asset::new(include_str!("../../assets/morph.js"), "text/javascript; charset=utf-8"));
    &MORPH
}

pub(crate) fn script() -> &'static Asset {
    static SCRIPT: LazyLock<Asset> =
        LazyLock::new(|| Asset::new(include_str!("../../assets/script.js"), "text/javascript; charset=utf-8"));
    &SCRIPT
}

impl Asset {
    fn new(content: &'static str, mime: &'static str) -> Self {
        Self { content, mime, version: format!("{:016x}", fnv(content.as_bytes())).leak() }
    }
}

/// FNV-1a: it tells versions apart, and nothing more.
fn fnv(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}
