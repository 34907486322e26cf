//! Request bodies: JSON, or a form whose `payload_json` is JSON, which libraries use to send files.

use serde_json::Value;

use super::super::{api_error::ApiError, attachment::Upload};

/// A parsed body.
#[derive(Clone, Debug, Default)]
pub(in crate::discord) struct Payload {
    /// Null if there is none.
    pub(in crate::discord) json: Value,
    /// The files that came with the JSON.
    pub(in crate::discord) files: Vec<Upload>,
}

/// Parses a body.
pub(in crate::discord) fn read(content_type: &str, bytes: &[u8]) -> Result<Payload, ApiError> {
    let json = |bytes: &[u8]| serde_json::from_slice(bytes).map_err(|_| ApiError::INVALID_JSON);
    let mut payload = Payload::default();
    match content_type.split_once("boundary=") {
        Some((kind, boundary)) if kind.starts_with("multipart/") => {
            for (header, content) in parts(bytes, boundary.trim_matches('"')) {
                match (named(&header, "name"), named(&header, "filename")) {
                    (Some("payload_json"), _) => payload.json = json(content)?,
                    (Some(field), Some(name)) => payload.files.push(Upload {
                        field: field.to_owned(),
                        name: name.to_owned(),
                        bytes: content.to_vec(),
                    }),
                    _ => {}
                }
            }
        }
        _ if bytes.is_empty() => {}
        _ => payload.json = json(bytes)?,
    }
    Ok(payload)
}

/// The parts of a form, each with its headers.
fn parts<'a>(bytes: &'a [u8], boundary: &str) -> Vec<(String, &'a [u8])> {
    let (begin, end) = (format!("--{boundary}\r\n"), format!("\r\n--{boundary}"));
    let (mut parts, mut rest) = (Vec::new(), bytes);
    while let Some(start) = find(rest, begin.as_bytes()) {
        rest = &rest[start + begin.len()..];
        let (Some(blank), Some(stop)) = (find(rest, b"\r\n\r\n"), find(rest, end.as_bytes())) else { break };
        let content = rest.get(blank + 4..stop).unwrap_or_default();
        parts.push((String::from_utf8_lossy(&rest[..blank]).into_owned(), content));
        // The line break before the next boundary belongs to neither part.
        rest = &rest[stop + 2..];
    }
    parts
}

/// A parameter of a part's header.
fn named<'a>(header: &'a str, parameter: &str) -> Option<&'a str> {
    let value = header.split_once(&format!("; {parameter}=\""))?.1;
    value.split_once('"').map(|(value, _)| value)
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_json_of_a_form_with_files_is_found() {
        let form = "--x\r\nContent-Disposition: form-data; name=\"files[0]\"; filename=\"a.csv\"\r\nContent-Type: text/csv\r\n\r\n\
            1,2\r\n3,4\r\n--x\r\nContent-Disposition: form-data; name=\"payload_json\"\r\n\r\n{\"content\":\"a\"}\r\n--x--\r\n";
        let read = read("multipart/form-data; boundary=x", form.as_bytes()).expect("a form");
        assert_eq!(read.json["content"], "a");
        let file = Upload { field: "files[0]".to_owned(), name: "a.csv".to_owned(), bytes: b"1,2\r\n3,4".to_vec() };
        assert_eq!(read.files, [file]);
    }
}
