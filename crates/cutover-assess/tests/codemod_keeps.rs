//! An edit changes the bytes that it names, and nothing else of a file.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod codemod_common;

use codemod_common::Tree;
use cutover_assess::codemod::Edit;

/// What becomes of a file when its first `old` is replaced by `new`, after the way back was tried.
fn replaced(content: impl AsRef<[u8]>, old: &str, new: &str) -> Vec<u8> {
    let content = content.as_ref();
    let tree = Tree::new([("file", content)]);
    let start = content.windows(old.len()).position(|window| window == old.as_bytes()).unwrap();
    let journal = tree.plan([Edit::new("file", start, old, new)]).unwrap().apply().unwrap();
    let edited = tree.read("file");
    journal.undo().unwrap();
    assert_eq!(tree.read("file"), content);
    edited
}

#[test]
fn line_ends_and_a_byte_order_mark_stay_as_they_are() {
    assert_eq!(replaced("\u{feff}a\r\nold\r\nb", "old", "new"), "\u{feff}a\r\nnew\r\nb".as_bytes());
    assert_eq!(replaced("a\nold\r\nb\n\rc\r", "old", "new"), b"a\nnew\r\nb\n\rc\r");
    assert_eq!(replaced("old", "old", "new"), b"new");
}

#[test]
fn lines_that_an_edit_adds_end_as_their_neighbours_do() {
    assert_eq!(replaced("a\r\nold\r\n", "old", "x\ny"), b"a\r\nx\r\ny\r\n");
    assert_eq!(replaced("a\r\nold\r\n", "old", "x\r\ny"), b"a\r\nx\r\ny\r\n");
    assert_eq!(replaced("a\r\nold", "old", "x\ny"), b"a\r\nx\r\ny");
    assert_eq!(replaced("a\r\nold\nb\r\n", "old", "x\ny"), b"a\r\nx\ny\nb\r\n");
    assert_eq!(replaced("old", "old", "x\ny"), b"x\ny");
    assert_eq!(replaced("a\r\nold\r\n", "old\r", "x\ny\r"), b"a\r\nx\r\ny\r\n");
}

#[test]
fn bytes_that_are_no_utf8_stay_as_they_are() {
    assert_eq!(replaced(b"caf\xe9 old \xff\x80", "old", "new"), b"caf\xe9 new \xff\x80");
    assert_eq!(replaced(b"\xe9\x80old\x80", "old", "new"), b"\xe9\x80new\x80");
}

#[cfg(unix)]
mod unix {
    use super::*;
    use codemod_common::{mode, set_mode};
    use std::fs;
    use std::os::unix::fs::{MetadataExt, symlink};

    #[test]
    fn a_file_keeps_its_mode_there_and_back() {
        for bits in [0o755, 0o600, 0o664, 0o4755] {
            let tree = Tree::new([("run.sh", b"old".as_slice())]);
            set_mode(&tree.at("run.sh"), bits);
            let journal = tree.plan([Edit::new("run.sh", 0, "old", "new")]).unwrap().apply().unwrap();
            assert_eq!(mode(&tree.at("run.sh")) & 0o7777, bits);
            journal.undo().unwrap();
            assert_eq!(mode(&tree.at("run.sh")) & 0o7777, bits);
        }
    }

    #[test]
    fn a_link_stays_a_link_and_its_target_is_edited() {
        let tree = Tree::new([("real/app.py", b"old old".as_slice())]);
        symlink("real/app.py", tree.at("link.py")).unwrap();
        let plan =
            tree.plan([Edit::new("link.py", 0, "old", "new"), Edit::new("real/app.py", 4, "old", "new")]).unwrap();
        assert_eq!(plan.files().len(), 1, "a link and its target are one file");
        let journal = plan.apply().unwrap();
        assert_eq!(journal.files(), [std::path::PathBuf::from("real/app.py")]);
        assert_eq!(fs::read_link(tree.at("link.py")).unwrap().to_str(), Some("real/app.py"));
        assert_eq!(tree.read("real/app.py"), b"new new");
        journal.undo().unwrap();
        assert_eq!(tree.read("link.py"), b"old old");
    }

    #[test]
    fn further_names_of_a_file_are_told_and_keep_the_old_content() {
        let tree = Tree::new([("app.py", b"old".as_slice())]);
        fs::hard_link(tree.at("app.py"), tree.at("twin.py")).unwrap();
        let plan = tree.plan([Edit::new("app.py", 0, "old", "new")]).unwrap();
        assert_eq!(plan.files()[0].hard_links(), 1);
        plan.apply().unwrap();
        assert_eq!(tree.read("twin.py"), b"old");
    }

    #[test]
    fn a_file_keeps_its_owner_or_is_not_edited() {
        let tree = Tree::new([("app.py", b"old".as_slice())]);
        let ids = |tree: &Tree| fs::metadata(tree.at("app.py")).map(|data| (data.uid(), data.gid())).unwrap();
        // Only a privileged user may give files away; for others the owner is the same anyhow.
        drop(std::os::unix::fs::chown(tree.at("app.py"), Some(12_345), Some(54_321)));
        let before = ids(&tree);
        tree.plan([Edit::new("app.py", 0, "old", "new")]).unwrap().apply().unwrap();
        assert_eq!(ids(&tree), before);
    }

    #[test]
    fn journals_are_for_their_owner_alone_and_git_is_told_to_ignore_them() {
        let tree = Tree::new([("app.py", b"old".as_slice())]);
        let journal = tree.plan([Edit::new("app.py", 0, "old", "new")]).unwrap().apply().unwrap();
        assert_eq!(mode(journal.path()) & 0o777, 0o600);
        assert_eq!(tree.read(".cutover/.gitignore"), b"*\n");
    }
}
