//! A pack's folder: everything in it is read once, and nothing outside it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use provost_domain::pack::PackFiles;
use provost_form::{FormError, Position, TextFile};

/// Most files and folders of one pack: 64 agents with two files each, and room for what accompanies them.
const ENTRIES_MAX: usize = 512;
/// Deepest folder, counted from the pack's own: the layout needs two.
const DEPTH_MAX: usize = 8;

/// A pack's folder with what was read and what went wrong. Names that begin with a dot do not belong to a pack.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    /// By path inside the pack, with `/` between names.
    files: BTreeMap<String, TextFile>,
    folders: BTreeSet<String>,
    /// What is there and could not be read, which was reported.
    unread: BTreeSet<String>,
    entries: usize,
    pub(crate) errors: Vec<FormError>,
    /// What is odd and refuses nothing.
    pub(crate) warnings: Vec<FormError>,
}

impl Folder {
    /// Reads the whole folder.
    pub(crate) fn read(path: &Path) -> Self {
        let mut folder = Self::at(path);
        folder.walk();
        folder
    }

    /// A folder that was read before. `path` only stands in front of mistakes.
    pub(crate) fn of(path: &Path, files: &PackFiles) -> Self {
        let mut folder = Self::at(path);
        for (inside, text) in &files.0 {
            folder.folders.extend(Path::new(inside).ancestors().skip(1).filter_map(Path::to_str).map(str::to_owned));
            folder.files.insert(inside.clone(), TextFile { path: path.join(inside), text: text.clone() });
        }
        folder
    }

    fn at(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            files: BTreeMap::new(),
            folders: BTreeSet::new(),
            unread: BTreeSet::new(),
            entries: 0,
            errors: Vec::new(),
            warnings: Vec::new(),
        }
    }

    /// A file by its path inside the pack. One that is not there is a mistake.
    pub(crate) fn file(&mut self, inside: &str) -> Option<TextFile> {
        let file = self.files.get(inside).cloned();
        if file.is_none() && !self.unread.contains(inside) {
            let hint = format!("a pack has {inside} here; see the annotated pack that is shipped");
            self.report(inside, "the file is missing", hint);
        }
        file
    }

    /// A file that need not be there.
    pub(crate) fn find(&self, inside: &str) -> Option<TextFile> {
        self.files.get(inside).cloned()
    }

    /// Whether a file is there and could not be read, which was reported.
    pub(crate) fn is_unread(&self, inside: &str) -> bool {
        self.unread.contains(inside)
    }

    /// The names of the folders in a folder inside the pack, at most `max`; more are a mistake.
    pub(crate) fn folders(&mut self, inside: &str, max: usize) -> Vec<String> {
        let names = children(inside, self.folders.iter());
        self.limit(inside, names.len(), max);
        names
    }

    /// The names of the files in a folder inside the pack, at most `max`; more are a mistake.
    pub(crate) fn files(&mut self, inside: &str, max: usize) -> Vec<String> {
        let names = children(inside, self.files.keys());
        self.limit(inside, names.len(), max);
        names
    }

    /// All that was read.
    pub(crate) fn all(&self) -> PackFiles {
        PackFiles(self.files.iter().map(|(path, source)| (path.clone(), source.text.clone())).collect())
    }

    fn limit(&mut self, inside: &str, found: usize, max: usize) {
        if found > max {
            let message = format!("holds {found} entries, over the limit of {max}");
            self.report(inside, message, "split the pack");
        }
    }

    /// Reports a mistake of something inside the pack.
    pub(crate) fn report(&mut self, inside: &str, message: impl Into<String>, hint: impl Into<String>) {
        self.errors.push(FormError::at(&self.path.join(inside), Position::default(), message, hint));
    }

    fn walk(&mut self) {
        let mut open = vec![(String::new(), 0)];
        while let Some((inside, depth)) = open.pop() {
            for name in self.list(&inside) {
                let path = if inside.is_empty() { name } else { format!("{inside}/{name}") };
                self.entries += 1;
                if self.entries > ENTRIES_MAX || depth > DEPTH_MAX {
                    let message =
                        format!("is over the limit of {ENTRIES_MAX} files, or {DEPTH_MAX} folders inside each other");
                    return self.report(&path, message, "split the pack, or move what does not belong to it");
                }
                if self.enter(&path) {
                    open.push((path, depth + 1));
                }
            }
        }
    }

    /// Reads a file, or says that this is a folder to go into.
    fn enter(&mut self, inside: &str) -> bool {
        let path = self.path.join(inside);
        let link = path.is_symlink();
        if link && self.leads_out(&path) {
            self.unread.insert(inside.to_owned());
            self.report(inside, "leads out of the pack", "copy it into the pack: a pack's digest stands for all of it");
            return false;
        }
        if path.is_dir() {
            if link {
                self.report(inside, "is a link to a folder", "copy the folder: a pack has each file once");
                return false;
            }
            return self.folders.insert(inside.to_owned());
        }
        match TextFile::read(&path) {
            Ok(source) => {
                self.find_variables(&source);
                self.files.insert(inside.to_owned(), source);
            }
            Err(error) => {
                self.unread.insert(inside.to_owned());
                self.errors.push(error);
            }
        }
        false
    }

    /// Finds `${`: a pack is the same everywhere, so it holds no variables. In a table it is a mistake; a text may show code
    /// of another program, and is only warned about; any other file is nobody's business.
    fn find_variables(&mut self, file: &TextFile) {
        let list = match file.path.extension().and_then(std::ffi::OsStr::to_str) {
            Some("yaml" | "yml") => &mut self.errors,
            Some("md") => &mut self.warnings,
            Some(_) | None => return,
        };
        for (at, _) in file.text.match_indices("${") {
            let message = "`${` is left over: variables are not replaced in a pack";
            let hint = "write the value itself; variables belong in the configuration";
            list.push(FormError::at(&file.path, Position::of(&file.text, at), message, hint));
        }
    }

    /// The names in a folder in order, without hidden ones.
    fn list(&mut self, inside: &str) -> Vec<String> {
        let path = self.path.join(inside);
        let mut names = Vec::new();
        let listed = fs::read_dir(&path).and_then(|entries| {
            for entry in entries {
                match entry?.file_name().into_string() {
                    Ok(name) if name.starts_with('.') => {}
                    Ok(name) => names.push(name),
                    Err(name) => {
                        self.report(&format!("{inside}/{}", name.display()), "the name is not UTF-8", "rename it");
                    }
                }
                if names.len() > ENTRIES_MAX {
                    break;
                }
            }
            Ok(())
        });
        if let Err(error) = listed {
            self.report(inside, format!("cannot be listed: {error}"), "check the path and its rights");
        }
        names.sort();
        names
    }

    /// Whether a link leads out of the pack. What cannot be resolved is left to the reading, which says why.
    fn leads_out(&self, path: &Path) -> bool {
        match (fs::canonicalize(&self.path), fs::canonicalize(path)) {
            (Ok(folder), Ok(real)) => !real.starts_with(folder),
            (Ok(_) | Err(_), Err(_)) | (Err(_), Ok(_)) => false,
        }
    }
}

/// The last names of the paths directly in a folder.
fn children<'a>(inside: &str, paths: impl Iterator<Item = &'a String>) -> Vec<String> {
    let name = |path: &'a String| path.strip_prefix(inside)?.strip_prefix('/').filter(|name| !name.contains('/'));
    paths.filter_map(name).map(str::to_owned).collect()
}
