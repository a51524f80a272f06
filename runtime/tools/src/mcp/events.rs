//! A stream of server-sent events, piece by piece: only their data counts.

/// Reads the data of events out of chunks that may end anywhere.
#[derive(Debug, Default)]
pub(super) struct EventReader {
    line: Vec<u8>,
    data: Vec<String>,
    /// Whether the last line ended with a carriage return, after which a line feed says nothing.
    returned: bool,
}

impl EventReader {
    /// Takes a chunk and returns the data of the events that are whole now.
    pub(super) fn take(&mut self, chunk: &[u8]) -> Vec<String> {
        let mut events = Vec::new();
        for byte in chunk {
            let after_return = std::mem::take(&mut self.returned);
            match byte {
                b'\n' if after_return => {}
                b'\n' | b'\r' => {
                    self.returned = *byte == b'\r';
                    let line = std::mem::take(&mut self.line);
                    events.extend(self.line(&String::from_utf8_lossy(&line)));
                }
                _ => self.line.push(*byte),
            }
        }
        events
    }

    /// Takes a line; an empty one ends an event.
    fn line(&mut self, line: &str) -> Option<String> {
        if line.is_empty() {
            let data = std::mem::take(&mut self.data);
            return (!data.is_empty()).then(|| data.join("\n"));
        }
        if let Some(data) = line.strip_prefix("data:") {
            self.data.push(data.strip_prefix(' ').unwrap_or(data).to_owned());
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_the_same_however_they_are_cut() {
        let text = ": hello\nid: 1\nevent: message\ndata: {\"a\":\ndata:1}\n\r\n\ndata: zwei ä\r\n\r\nretry: 3\n\ndata: no end\n";
        for size in [1, 2, 3, 7, 1000] {
            let mut reader = EventReader::default();
            let events: Vec<String> = text.as_bytes().chunks(size).flat_map(|chunk| reader.take(chunk)).collect();
            assert_eq!(events, ["{\"a\":\n1}", "zwei ä"], "{size}");
        }
    }
}
