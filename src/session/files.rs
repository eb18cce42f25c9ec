//! Files and folders as a session writes them: private to the user, whole or not at all, never through a link.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use fs_err as fs;

use crate::error::Failure;

/// Replaces a file of a session: readers see the old content or the new one, also after a power cut. Mode 0600.
pub fn write_private(path: &Path, content: &[u8]) -> Result<(), Failure> {
    replace(path, content, 0o600)
        .map_err(|error| Failure::io(format_args!("write {}", path.display()), &error))
}

/// Writes a report where the person asked for it, with the permissions of any other file they make.
///
/// A regular file (also one behind a link) is replaced as a whole; a pipe or a device such as `/dev/stdout` is
/// written to, for replacing it would put a file in its place.
pub fn write_report(path: &Path, content: &[u8]) -> Result<(), Failure> {
    let written = match fs::metadata(path) {
        Ok(found) if found.is_file() => {
            fs::canonicalize(path).and_then(|real| replace(&real, content, 0o666))
        }
        Ok(found) if !found.is_dir() => {
            fs::OpenOptions::new().write(true).open(path).and_then(|mut file| file.write_all(content))
        }
        Ok(_) => Err(io::Error::from(io::ErrorKind::IsADirectory)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => replace(path, content, 0o666),
        Err(error) => Err(error),
    };
    written.map_err(|error| {
        let doing = format!("write the report {}", path.display());
        let hint = match error.kind() {
            io::ErrorKind::NotFound => {
                format!("make the directory first: `mkdir -p {}`", folder_of(path).display())
            }
            io::ErrorKind::IsADirectory => "name a file in it".to_owned(),
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                "name a file in a directory that can be written".to_owned()
            }
            _ => return Failure::io(doing, &error),
        };
        Failure::output(format!("cannot {doing}: {error}")).hint(hint)
    })
}

/// A new file beside the old one, on disk before it takes the name; then the folder, so that the name is on disk too.
fn replace(path: &Path, content: &[u8], mode: u32) -> io::Result<()> {
    let folder = folder_of(path);
    let mut builder = tempfile::Builder::new();
    builder.prefix(".flakehunt-");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(mode));
    #[cfg(not(unix))]
    let _ = mode;
    let mut file = builder.tempfile_in(folder)?;
    file.write_all(content)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    sync_folder(folder)
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// Makes names in a folder durable; systems whose folders cannot be opened do so by themselves.
pub fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) { fs::File::open(folder)?.sync_all() } else { Ok(()) }
}

/// Makes one folder with mode 0700. `AlreadyExists` where there is anything of that name, a dangling link included.
pub fn create_private_folder(path: &Path) -> io::Result<()> {
    private_folders().create(path)
}

/// Makes a folder and those above it that are missing, all with mode 0700.
pub fn create_private_folders(path: &Path) -> io::Result<()> {
    private_folders().recursive(true).create(path)
}

fn private_folders() -> std::fs::DirBuilder {
    #[cfg_attr(not(unix), expect(unused_mut, reason = "modes exist on Unix only"))]
    let mut builder = std::fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
}

/// A folder with mode 0700 that is filled and then renamed to what it is for; removed when that does not happen.
pub fn private_draft_in(folder: &Path) -> io::Result<tempfile::TempDir> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".draft-");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
    builder.tempdir_in(folder)
}

/// Makes a folder of ours unless it is there. A link in its place is refused: what it points to is not ours.
pub fn ensure_private_folder(path: &Path) -> Result<(), Failure> {
    match create_private_folder(path) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => require_real_folder(path),
        Err(error) => Err(Failure::io(format_args!("create {}", path.display()), &error)),
    }
}

/// Refuses a path that is a link, or anything else that is not a folder.
pub fn require_real_folder(path: &Path) -> Result<(), Failure> {
    let found =
        fs::symlink_metadata(path).map_err(|error| Failure::unreadable("the session directory", &error))?;
    let what = if found.is_symlink() {
        "a symbolic link"
    } else if !found.is_dir() {
        "not a directory"
    } else {
        return Ok(());
    };
    Err(Failure::output(format!("{} is {what}; flakehunt does not write there", path.display()))
        .hint("remove it, or pass `--session-dir DIR` to keep `.flakehunt` elsewhere"))
}

/// Opens a file of ours for writing, mode 0600. With `new` it must not exist yet.
pub fn open_private(path: &Path, new: bool, append: bool) -> io::Result<fs::File> {
    let mut options = fs::OpenOptions::new();
    options.read(true).append(append).write(!append).create(true).create_new(new);
    #[cfg(unix)]
    fs_err::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    #[cfg(unix)]
    fs_err::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, nix::fcntl::OFlag::O_NOFOLLOW.bits());
    options.open(path)
}

/// Removes a folder and what is in it, never what a link in it points to.
///
/// Tests leave folders that even their owner may not write to; these are opened up first, by the owner's right.
pub fn remove_folder(path: &Path) -> io::Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            make_removable(path)?;
            fs::remove_dir_all(path)
        }
        removed => removed,
    }
}

fn make_removable(folder: &Path) -> io::Result<()> {
    let mut waiting: Vec<PathBuf> = vec![folder.to_owned()];
    while let Some(folder) = waiting.pop() {
        if !fs::symlink_metadata(&folder)?.is_dir() {
            continue;
        }
        #[cfg(unix)]
        fs::set_permissions(&folder, std::os::unix::fs::PermissionsExt::from_mode(0o700))?;
        for entry in fs::read_dir(&folder)? {
            let entry = entry?;
            // The type of the entry itself: a link to a folder is a link.
            if entry.file_type()?.is_dir() {
                waiting.push(entry.path());
            }
        }
    }
    Ok(())
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::symlink_metadata(path).unwrap().mode() & 0o777
    }

    #[test]
    fn a_private_file_is_replaced_as_a_whole_and_stays_private() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("suite.json");
        write_private(&path, b"one").unwrap();
        let before = fs::symlink_metadata(&path).unwrap().ino();
        write_private(&path, b"two").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_ne!(fs::symlink_metadata(&path).unwrap().ino(), before, "written in place");
        assert_eq!(mode(&path), 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
    }

    #[test]
    fn a_report_goes_through_a_link_to_a_file_and_keeps_the_link() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("file"), folder.path().join("link"));
        fs::write(&file, "old").unwrap();
        fs_err::os::unix::fs::symlink(&file, &link).unwrap();
        write_report(&link, b"new").unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read(&file).unwrap(), b"new");
    }

    #[test]
    fn a_device_is_written_to_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join("null");
        fs_err::os::unix::fs::symlink("/dev/null", &link).unwrap();
        write_report(&link, b"x").unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    }

    #[test]
    fn a_report_into_a_missing_directory_says_how_to_make_it() {
        let folder = tempfile::tempdir().unwrap();
        let failure = write_report(&folder.path().join("no/such/report.json"), b"x").unwrap_err();
        assert_eq!(failure.code, crate::error::ExitCode::Output);
        assert!(failure.hints[0].contains("mkdir -p"), "{failure:?}");
        let failure = write_report(folder.path(), b"x").unwrap_err();
        assert_eq!(failure.hints, ["name a file in it"]);
    }

    #[test]
    fn what_a_link_points_to_survives_the_removal_of_its_folder() {
        let outside = tempfile::tempdir().unwrap();
        fs::write(outside.path().join("precious"), "x").unwrap();
        fs::set_permissions(outside.path(), std::fs::Permissions::from_mode(0o750)).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let ours = folder.path().join("ours");
        let locked = ours.join("locked");
        fs::create_dir_all(&locked).unwrap();
        fs::write(locked.join("file"), "x").unwrap();
        fs_err::os::unix::fs::symlink(outside.path(), ours.join("link")).unwrap();
        fs_err::os::unix::fs::symlink(outside.path(), locked.join("link")).unwrap();
        // Owners other than root may not remove what is in here.
        fs::set_permissions(&locked, std::fs::Permissions::from_mode(0o500)).unwrap();
        remove_folder(&ours).unwrap();
        assert!(!ours.exists());
        assert!(outside.path().join("precious").exists());
        assert_eq!(mode(outside.path()), 0o750);
    }

    #[test]
    fn a_link_in_the_place_of_a_folder_is_refused() {
        let outside = tempfile::tempdir().unwrap();
        let folder = tempfile::tempdir().unwrap();
        for target in [outside.path(), Path::new("nowhere")] {
            let link = folder.path().join("link");
            fs_err::os::unix::fs::symlink(target, &link).unwrap();
            let failure = ensure_private_folder(&link).unwrap_err();
            assert!(failure.error.contains("symbolic link"), "{failure:?}");
            fs::remove_file(&link).unwrap();
        }
        assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 0);
    }
}
