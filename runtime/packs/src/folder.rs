//! A pack's folder: what is read from it, and nothing outside it.

use std::fs;
use std::path::{Path, PathBuf};

use provost_domain::ids::Digest;

use crate::error::PackError;
use crate::node::Place;
use crate::source::Source;

/// Most agents of one pack, and most fragments.
const ENTRIES_MAX: usize = 64;

/// A pack's folder with what was read and what went wrong.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    files: Vec<(String, String)>,
    pub(crate) errors: Vec<PackError>,
}

impl Folder {
    pub(crate) fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), files: Vec::new(), errors: Vec::new() }
    }

    /// Reads a file by its path inside the pack.
    pub(crate) fn read(&mut self, inside: &str) -> Option<Source> {
        let path = self.path.join(inside);
        if self.leads_out(&path) {
            let hint = "copy the file into the pack: a pack's digest stands for all of it";
            self.errors.push(PackError::at(&path, Place::default(), "leads out of the pack", hint));
            return None;
        }
        match Source::read(&path) {
            Ok(source) => {
                self.files.push((inside.to_owned(), source.text.clone()));
                Some(source)
            }
            Err(error) => {
                self.errors.push(error);
                None
            }
        }
    }

    /// Whether something stands at a path inside the pack.
    pub(crate) fn has(&self, inside: &str) -> bool {
        fs::symlink_metadata(self.path.join(inside)).is_ok()
    }

    /// The names in a folder inside the pack, in order; a folder that is not there has none, hidden ones do not count.
    pub(crate) fn names(&mut self, inside: &str, wanted: fn(&Path) -> bool) -> Vec<String> {
        let path = self.path.join(inside);
        if !self.has(inside) {
            return Vec::new();
        }
        let listed = match fs::read_dir(&path) {
            Ok(listed) => listed,
            Err(error) => {
                let message = format!("cannot be listed: {error}");
                self.errors.push(PackError::at(&path, Place::default(), message, "check the path and its rights"));
                return Vec::new();
            }
        };
        let mut names = Vec::new();
        for entry in listed.filter_map(Result::ok).filter(|entry| wanted(&entry.path())) {
            match entry.file_name().into_string() {
                Ok(name) if name.starts_with('.') => {}
                Ok(name) => names.push(name),
                Err(_) => {
                    self.errors.push(PackError::at(&entry.path(), Place::default(), "the name is not UTF-8", "rename it"));
                }
            }
        }
        names.sort();
        if names.len() > ENTRIES_MAX {
            let message = format!("holds {} entries, over the limit of {ENTRIES_MAX}", names.len());
            self.errors.push(PackError::at(&path, Place::default(), message, "split the pack"));
            names.truncate(ENTRIES_MAX);
        }
        names
    }

    /// The digest of everything that was read, each file with its path: what a session pins.
    pub(crate) fn digest(mut self) -> Digest {
        self.files.sort();
        let parts: Vec<&[u8]> =
            self.files.iter().flat_map(|(path, text)| [path.as_bytes(), text.as_bytes()]).collect();
        Digest::of_parts(&parts)
    }

    /// Whether links lead a path out of the pack. What cannot be resolved is left to the reading, which says why.
    fn leads_out(&self, path: &Path) -> bool {
        match (fs::canonicalize(&self.path), fs::canonicalize(path)) {
            (Ok(folder), Ok(real)) => !real.starts_with(folder),
            (Ok(_) | Err(_), Err(_)) | (Err(_), Ok(_)) => false,
        }
    }
}
