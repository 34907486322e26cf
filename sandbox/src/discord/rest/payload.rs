//! Request bodies: JSON, or a form whose `payload_json` is JSON, as libraries send it along with files.

use serde_json::Value;

use super::super::api_error::ApiError;

/// The JSON of a body; null where there is none. Files are not simulated and fall away.
pub(in crate::discord) fn read(content_type: &str, bytes: &[u8]) -> Result<Value, ApiError> {
    let json = match content_type.split_once("boundary=") {
        Some((kind, boundary)) if kind.starts_with("multipart/") => part(bytes, boundary.trim_matches('"')),
        _ => Some(bytes),
    };
    match json {
        None | Some([]) => Ok(Value::Null),
        Some(json) => serde_json::from_slice(json).map_err(|_| ApiError::INVALID_JSON),
    }
}

fn part<'a>(bytes: &'a [u8], boundary: &str) -> Option<&'a [u8]> {
    let name = find(bytes, b"name=\"payload_json\"")?;
    let rest = &bytes[name..];
    let rest = &rest[find(rest, b"\r\n\r\n")? + 4..];
    find(rest, format!("\r\n--{boundary}").as_bytes()).map(|end| &rest[..end])
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_json_of_a_form_with_files_is_found() {
        let form =
            "--x\r\nContent-Disposition: form-data; name=\"payload_json\"\r\n\r\n{\"content\":\"a\"}\r\n--x--\r\n";
        let read = read("multipart/form-data; boundary=x", form.as_bytes()).expect("a form");
        assert_eq!(read["content"], "a");
    }
}
