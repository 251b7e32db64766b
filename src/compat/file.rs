//! File names as the compiler gives them, made the same on every machine.

/// With `/` between folders, without `.` and `..` where that is possible, and without the folder in which this machine
/// keeps the sources of published crates.
pub(super) fn normalised(file: &str) -> String {
    let file = file.replace('\\', "/");
    let file = file.strip_prefix("//?/").unwrap_or(&file);
    let absolute = if file.starts_with('/') { "/" } else { "" };
    let mut folders: Vec<&str> = Vec::new();
    for part in file.split('/').filter(|part| !part.is_empty() && *part != ".") {
        match (part, folders.last()) {
            ("..", Some(&last)) if last != ".." => drop(folders.pop()),
            _ => folders.push(part),
        }
    }
    match after_registry(&folders) {
        Some(inside) => inside.join("/"),
        None => format!("{absolute}{}", folders.join("/")),
    }
}

/// The part of `file` that lies below the folder `root`, if it does.
pub(super) fn below(root: &str, file: &str) -> Option<String> {
    let (root, file) = (normalised(root), normalised(file));
    let inside = file.strip_prefix(root.trim_end_matches('/')).and_then(|rest| rest.strip_prefix('/'));
    inside.filter(|_| !root.is_empty()).map(ToOwned::to_owned)
}

/// What follows `registry/src/NAME-HASH`, where Cargo unpacks published crates: the crate, its version and the file.
fn after_registry<'a, 'b>(folders: &'a [&'b str]) -> Option<&'a [&'b str]> {
    let found = folders.windows(3).position(|three| matches!(three, ["registry", "src", index] if has_hash(index)))?;
    folders.get(found + 3..).filter(|inside| !inside.is_empty())
}

fn has_hash(index: &str) -> bool {
    let hash = index.rsplit_once('-').map(|(_, hash)| hash);
    hash.is_some_and(|hash| hash.len() == 16 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_has_one_name_on_every_system() {
        for (given, expected) in [
            ("src/main.rs", "src/main.rs"),
            (r"src\shop\main.rs", "src/shop/main.rs"),
            ("./src//shop/../main.rs", "src/main.rs"),
            ("../shop/src/./main.rs", "../shop/src/main.rs"),
            ("../../src/main.rs", "../../src/main.rs"),
            ("/home/ana/shop/src/main.rs", "/home/ana/shop/src/main.rs"),
            (r"C:\Users\Ana\shop\src\main.rs", "C:/Users/Ana/shop/src/main.rs"),
            (r"\\?\C:\shop\src\main.rs", "C:/shop/src/main.rs"),
            ("/home/ana/.cargo/registry/src/index-1949cf8c6b5b557f/shop-1.2.3/src/lib.rs", "shop-1.2.3/src/lib.rs"),
            (r"D:\cargo\registry\src\index-1949cf8c6b5b557f\shop-1.2.3\src\lib.rs", "shop-1.2.3/src/lib.rs"),
            ("/ana/registry/src/shop/lib.rs", "/ana/registry/src/shop/lib.rs"),
            ("", ""),
        ] {
            assert_eq!(normalised(given), expected, "{given}");
            assert_eq!(normalised(expected), expected, "{given}, twice");
        }
    }

    #[test]
    fn a_root_ends_where_a_folder_ends() {
        for (root, file, inside) in [
            ("/home/ana/shop", "/home/ana/shop/src/main.rs", Some("src/main.rs")),
            ("/home/ana/shop/", "/home/ana/shop/src/main.rs", Some("src/main.rs")),
            (r"C:\Ana\shop", r"C:\Ana\shop\src\main.rs", Some("src/main.rs")),
            ("/", "/src/main.rs", Some("src/main.rs")),
            ("/home/ana/shop", "/home/ana/shopping/src/main.rs", None),
            ("/home/ana/shop", "src/main.rs", None),
            ("", "/src/main.rs", None),
            ("", "src/main.rs", None),
        ] {
            assert_eq!(below(root, file).as_deref(), inside, "{root} {file}");
        }
    }
}
