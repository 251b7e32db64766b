//! The part of the PostgreSQL protocol (version 3) that runs one text of SQL without a password.

use std::io::{self, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// The rows, as text, or what PostgreSQL refused.
pub(crate) type Answer = Result<Vec<Vec<Option<String>>>, String>;

/// Connects, runs `sql` and closes.
pub(crate) fn ask(addr: SocketAddr, limit: Duration, user: &str, database: &str, sql: &str) -> io::Result<Answer> {
    let stream = TcpStream::connect_timeout(&addr, limit)?;
    stream.set_read_timeout(Some(limit))?;
    stream.set_write_timeout(Some(limit))?;
    let mut connection = Connection(BufReader::new(stream));
    connection.send(None, &startup(user, database))?;
    if let Err(refusal) = connection.until_ready()? {
        return Ok(Err(refusal));
    }
    connection.send(Some(b'Q'), &[sql.as_bytes(), b"\0"].concat())?;
    let answer = connection.until_ready()?;
    connection.send(Some(b'X'), &[])?;
    Ok(answer)
}

fn startup(user: &str, database: &str) -> Vec<u8> {
    let mut message = 0x0003_0000_u32.to_be_bytes().to_vec();
    for text in ["user", user, "database", database] {
        message.extend(text.as_bytes());
        message.push(0);
    }
    message.push(0);
    message
}

struct Connection(BufReader<TcpStream>);

impl Connection {
    fn send(&mut self, kind: Option<u8>, body: &[u8]) -> io::Result<()> {
        let length = u32::try_from(body.len() + 4).map_err(|_| malformed())?;
        let message: Vec<u8> = kind.into_iter().chain(length.to_be_bytes()).chain(body.iter().copied()).collect();
        self.0.get_mut().write_all(&message)
    }

    fn receive(&mut self) -> io::Result<(u8, Vec<u8>)> {
        let mut head = [0; 5];
        self.0.read_exact(&mut head)?;
        let [kind, length @ ..] = head;
        let length = u32::from_be_bytes(length).checked_sub(4).ok_or_else(malformed)?;
        let mut body = vec![0; usize::try_from(length).map_err(|_| malformed())?];
        self.0.read_exact(&mut body)?;
        Ok((kind, body))
    }

    /// Reads what comes until the server waits for the next request.
    fn until_ready(&mut self) -> io::Result<Answer> {
        let mut rows = Vec::new();
        let mut refusal = None;
        loop {
            let (kind, body) = match self.receive() {
                // A server that refuses a connection says why and closes it.
                Err(_) if refusal.is_some() => (b'Z', Vec::new()),
                received => received?,
            };
            match kind {
                b'R' if body != [0; 4] => return Err(malformed()),
                b'D' => rows.push(row_in(&body).ok_or_else(malformed)?),
                b'E' => refusal = Some(message_in(&body)),
                b'Z' => return Ok(refusal.map_or(Ok(rows), Err)),
                _ => {}
            }
        }
    }
}

fn row_in(body: &[u8]) -> Option<Vec<Option<String>>> {
    let (count, mut rest) = body.split_first_chunk()?;
    let mut row = Vec::new();
    for _ in 0..u16::from_be_bytes(*count) {
        let (length, after) = rest.split_first_chunk()?;
        let (value, after) = match usize::try_from(i32::from_be_bytes(*length)) {
            Err(_) => (None, after),
            Ok(length) => after.split_at_checked(length).map(|(value, after)| (Some(value), after))?,
        };
        row.push(value.map(|value| String::from_utf8_lossy(value).into_owned()));
        rest = after;
    }
    Some(row)
}

/// The code and the message among the fields of an error.
fn message_in(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let field = |sign: char| text.split('\0').find_map(|field| field.strip_prefix(sign)).unwrap_or_default().to_owned();
    format!("{}: {}", field('C'), field('M'))
}

fn malformed() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "this is not an answer of PostgreSQL that lets everybody in")
}
