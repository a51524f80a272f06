//! The write-ahead log against its index. SQLite takes what is left of a log that was cut or spoilt for all there ever was; the
//! index beside it, which a killed process leaves behind, still tells how much was committed. Formats: "WAL-mode File Format"
//! of SQLite's documentation.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, BufReader, ErrorKind, Read};
use std::path::{Path, PathBuf};

use provost_domain::port::StoreError;

use super::error::damaged;
use super::inode::is_held_here;
use super::place::{self, unusable};

/// One copy of the index's header; two stand at its beginning.
const COPY: usize = 48;
/// Both copies, and the number of frames that are in the database already.
const INDEX: usize = 2 * COPY + 4;
/// Marks a log whose checksums read words the low byte first; the lowest bit turns that round.
const MAGIC: u32 = 0x377f_0682;
const LOG_HEADER: usize = 32;
const FRAME_HEADER: usize = 24;
const PAGE_MAX: u32 = 65_536;
/// How often a log is looked at again that somebody wrote meanwhile.
const LOOKS: u32 = 8;

/// What [`check`] does for somebody who only reads, also beside a process that writes.
pub(super) fn check_unlocked(database: &Path) -> Result<(), StoreError> {
    // The files lie beside the real one, whatever links led to it.
    let database = database.canonicalize().map_err(unusable(database))?;
    // It looked when it opened it. To close a file of it now would give up the locks that SQLite holds on that file, because
    // those belong to the process.
    if is_held_here(&database) {
        return Ok(());
    }
    check(&database, place::same_boot(&database))
}

/// Refuses a database whose write-ahead log lacks something that was committed; changes nothing. After a stop of the machine the
/// index is as it was written last, which may be long ago: then it is held against the very log it belongs to, or not at all.
///
/// # Errors
/// [`StoreError::Damaged`]: frames that the index counts are missing or not as they were written. [`StoreError::Failed`]: a
/// file is there and cannot be read.
pub(super) fn check(database: &Path, same_boot: bool) -> Result<(), StoreError> {
    let (log, index) = (beside(database, "-wal"), beside(database, "-shm"));
    let mut seen = Index::read(&index)?;
    for _ in 0..LOOKS {
        let Some(expected) = &seen else { return Ok(()) };
        let whole = match whole_frames(&log, expected)? {
            Frames::Whole(whole) => whole,
            Frames::None if same_boot => 0,
            Frames::None | Frames::Another => return Ok(()),
        };
        if whole >= expected.committed {
            return Ok(());
        }
        let now = Index::read(&index)?;
        if now == seen {
            return Err(lost(&log, &index, whole, expected.committed));
        }
        seen = now;
    }
    Ok(())
}

fn lost(log: &Path, index: &Path, whole: u32, committed: u32) -> StoreError {
    damaged(format!(
        "{}: only the first {whole} of {committed} committed pages are whole, the others held what was answered; if no \
         backup has it, move {} away to go on with what is left, and see with `provost audit verify --heads FILE` what is gone",
        log.display(),
        index.display()
    ))
}

fn beside(database: &Path, ending: &str) -> PathBuf {
    let mut name = OsString::from(database);
    name.push(ending);
    PathBuf::from(name)
}

/// What the index says of the log.
#[derive(Debug, PartialEq, Eq)]
struct Index {
    /// Frames up to the end of the last commit.
    committed: u32,
    /// Of the log that it belongs to.
    salts: [u8; 8],
}

impl Index {
    /// `None` where it tells nothing: not there, being written, empty, or all of it is in the database already.
    fn read(path: &Path) -> Result<Option<Self>, StoreError> {
        let mut head = [0; INDEX];
        match File::open(path).and_then(|mut file| file.read_exact(&mut head)) {
            Ok(()) => Ok(Self::parse(&head)),
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::UnexpectedEof) => Ok(None),
            Err(error) => Err(unusable(path)(error)),
        }
    }

    /// Numbers are in the machine's order, salts as in the log.
    fn parse(head: &[u8; INDEX]) -> Option<Self> {
        let (first, rest) = head.split_at(COPY);
        let (second, checkpoint) = rest.split_at(COPY);
        let filled = first.get(12) == Some(&1);
        if first != second || !filled {
            return None;
        }
        let committed = u32::from_ne_bytes(array(first, 16)?);
        let saved = u32::from_ne_bytes(array(checkpoint, 0)?);
        (committed > saved).then_some(Self { committed, salts: array(first, 32)? })
    }
}

/// What a log holds of what its index counts.
enum Frames {
    /// So many from its beginning are whole.
    Whole(u32),
    /// It is another log than the index's.
    Another,
    /// Not even its header is whole.
    None,
}

fn whole_frames(log: &Path, index: &Index) -> Result<Frames, StoreError> {
    match File::open(log) {
        Ok(file) => count(BufReader::with_capacity(1 << 20, file), index).map_err(unusable(log)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Frames::None),
        Err(error) => Err(unusable(log)(error)),
    }
}

fn count(mut log: impl Read, index: &Index) -> io::Result<Frames> {
    let mut header = [0; LOG_HEADER];
    if !filled(&mut log, &mut header)? {
        return Ok(Frames::None);
    }
    let Some((page, mut sums)) = begin(&header) else { return Ok(Frames::None) };
    if array(&header, 16) != Some(index.salts) {
        return Ok(Frames::Another);
    }
    let mut frame = vec![0; FRAME_HEADER + page];
    let mut whole = 0;
    while whole < index.committed && filled(&mut log, &mut frame)? && sums.holds(&frame, index.salts) {
        whole += 1;
    }
    Ok(Frames::Whole(whole))
}

/// Whether there was enough to fill it.
fn filled(log: &mut impl Read, into: &mut [u8]) -> io::Result<bool> {
    match log.read_exact(into) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

/// The size of a page, and the checksums up to the first frame; `None` where the header is not whole.
fn begin(header: &[u8; LOG_HEADER]) -> Option<(usize, Sums)> {
    let magic = u32::from_be_bytes(array(header, 0)?);
    let page = u32::from_be_bytes(array(header, 8)?);
    if magic & !1 != MAGIC || page > PAGE_MAX {
        return None;
    }
    let mut sums = Sums { big: magic & 1 == 1, first: 0, second: 0 };
    sums.add(header.get(..24)?);
    sums.stored(header, 24).then_some((page as usize, sums))
}

/// The log's running checksum.
struct Sums {
    /// Words are read the high byte first.
    big: bool,
    first: u32,
    second: u32,
}

impl Sums {
    fn add(&mut self, bytes: &[u8]) {
        let word = if self.big { u32::from_be_bytes } else { u32::from_le_bytes };
        for [a, b, c, d, e, f, g, h] in bytes.as_chunks::<8>().0 {
            self.first = self.first.wrapping_add(word([*a, *b, *c, *d])).wrapping_add(self.second);
            self.second = self.second.wrapping_add(word([*e, *f, *g, *h])).wrapping_add(self.first);
        }
    }

    /// Whether the next frame is as it was written.
    fn holds(&mut self, frame: &[u8], salts: [u8; 8]) -> bool {
        let (header, page) = frame.split_at(FRAME_HEADER);
        self.add(header.get(..8).unwrap_or_default());
        self.add(page);
        array(header, 8) == Some(salts) && self.stored(header, 16)
    }

    /// Whether these very sums are stored there.
    fn stored(&self, bytes: &[u8], at: usize) -> bool {
        let read = |at| array(bytes, at).map(u32::from_be_bytes);
        read(at) == Some(self.first) && read(at + 4) == Some(self.second)
    }
}

fn array<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..)?.first_chunk().copied()
}
