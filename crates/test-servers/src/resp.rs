//! The part of the Redis protocol that asks one thing and reads the answer.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// What Redis answered: a value, or an error of its own.
pub(crate) type Answer = Result<String, String>;

pub(crate) struct Connection(BufReader<TcpStream>);

impl Connection {
    pub(crate) fn open(addr: SocketAddr, limit: Duration) -> io::Result<Self> {
        let stream = TcpStream::connect_timeout(&addr, limit)?;
        stream.set_read_timeout(Some(limit))?;
        stream.set_write_timeout(Some(limit))?;
        stream.set_nodelay(true)?;
        Ok(Self(BufReader::new(stream)))
    }

    pub(crate) fn ask(&mut self, words: &[&str]) -> io::Result<Answer> {
        let words_of = |word: &&str| format!("${}\r\n{word}\r\n", word.len());
        let request = format!("*{}\r\n{}", words.len(), words.iter().map(words_of).collect::<String>());
        self.0.get_mut().write_all(request.as_bytes())?;
        self.answer()
    }

    fn answer(&mut self) -> io::Result<Answer> {
        let mut line = String::new();
        self.0.read_line(&mut line)?;
        let line = line.strip_suffix("\r\n").ok_or(io::ErrorKind::UnexpectedEof)?;
        let (kind, rest) = line.split_at_checked(1).ok_or_else(malformed)?;
        match kind {
            "+" | ":" => Ok(Ok(rest.to_owned())),
            "-" => Ok(Err(rest.to_owned())),
            "$" => self.bulk(rest.parse().map_err(|_| malformed())?).map(Ok),
            "*" => self.array(rest.parse().map_err(|_| malformed())?),
            _ => Err(malformed()),
        }
    }

    fn bulk(&mut self, length: i64) -> io::Result<String> {
        let Ok(length) = usize::try_from(length) else { return Ok(NIL.to_owned()) };
        let mut bytes = vec![0; length + 2];
        self.0.read_exact(&mut bytes)?;
        bytes.truncate(length);
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    fn array(&mut self, length: i64) -> io::Result<Answer> {
        if length < 0 {
            return Ok(Ok(NIL.to_owned()));
        }
        let items: io::Result<Vec<Answer>> = (0..length).map(|_| self.answer()).collect();
        let shown = items?.into_iter().map(|item| item.unwrap_or_else(|error| format!("(error) {error}")));
        Ok(Ok(shown.collect::<Vec<_>>().join("\n")))
    }
}

fn malformed() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "this is not an answer of Redis")
}

const NIL: &str = "(nil)";
