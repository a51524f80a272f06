//! A whole configuration file.

use std::path::Path;

use crate::error::{ErrorLog, FormErrors};
use crate::file::TextFile;
use crate::read::{FromYaml, take};
use crate::variables::{Variable, fill};

/// Reads a configuration file as one type. `${VAR}` and `${VAR:-default}` in its values are replaced by what `variable`
/// answers; a variable can bring in nothing but its text: no key and no list.
///
/// # Errors
/// The file cannot be read. Or every error in it at once, among them every variable that is not set.
pub fn load<T: FromYaml>(path: &Path, variable: Variable<'_>) -> Result<T, FormErrors> {
    let file = TextFile::read(path).map_err(|error| FormErrors(vec![error]))?;
    let mut log = ErrorLog::new(file.path.clone());
    let Some(mut tree) = file.tree(&mut log) else { return Err(FormErrors::sorted(log.errors)) };
    fill(&mut tree, variable, &mut log);
    let read = take(&tree, &mut log);
    if log.errors.is_empty() { Ok(read) } else { Err(FormErrors::sorted(log.errors)) }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::fs;
    use std::path::PathBuf;

    use super::*;
    use crate::scalar::Count;
    use crate::table;

    table! {
        #[derive(Debug)]
        struct Document {
            name: String,
            port: Count<1> = Count(80),
            files: BTreeMap<String, PathBuf> = BTreeMap::new(),
        }
    }

    fn document(text: &str, variable: Variable<'_>) -> Result<Document, FormErrors> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("document.yaml");
        fs::write(&path, text).unwrap();
        let mut document: Document = load(&path, variable)?;
        for file in document.files.values_mut() {
            *file = file.strip_prefix(folder.path()).unwrap().to_owned();
        }
        Ok(document)
    }

    #[test]
    fn values_defaults_variables_and_paths_beside_the_file() {
        let read = document("name: a\n", &|_| None).unwrap();
        assert_eq!((read.name.as_str(), read.port.0, read.files.len()), ("a", 80, 0));
        let text = "name: ${NAME}, ${OTHER:-b}\nport: \"${PORT}\"\nfiles: {x: logs/x.log}\n";
        let variable = |name: &str| match name {
            "NAME" => Some("a\nport: 1".to_owned()),
            "PORT" => Some("7".to_owned()),
            _ => None,
        };
        let read = document(text, &variable).unwrap();
        assert_eq!((read.name.as_str(), read.port.0), ("a\nport: 1, b", 7));
        assert_eq!(read.files["x"], PathBuf::from("logs/x.log"));
    }

    #[track_caller]
    fn says(text: &str, expect: &[(u64, u64, &str)]) {
        let found = document(text, &|_| None).unwrap_err();
        let found: Vec<_> = found.0.iter().map(|error| (error.line, error.column, error.message.as_str())).collect();
        assert_eq!(found, expect);
    }

    #[test]
    fn every_error_comes_at_once_with_its_place() {
        says(
            "port: 0\nnam: a\nfiles: {x: [], y: \"${UNSET}\"}\nport: 2\n",
            &[
                (1, 1, "the key `name` is missing"),
                (1, 7, "expected a whole number from 1, found `0`"),
                (2, 1, "unknown key `nam`"),
                (3, 12, "expected a text, found a list"),
                (3, 19, "the variable `UNSET` is not set"),
                (4, 1, "the key `port` is written twice"),
            ],
        );
        says("name: ${OPEN\n", &[(1, 7, "`${` is not closed")]);
        says("[]\n", &[(1, 1, "expected a table, found a list")]);
    }

    #[test]
    fn a_text_from_the_environment_is_never_shown() {
        let errors = document("name: a\nport: ${A}\n", &|_| Some("hunter2".to_owned())).unwrap_err();
        assert!(errors.to_string().contains("found a text") && !errors.to_string().contains("hunter2"), "{errors}");
    }
}
