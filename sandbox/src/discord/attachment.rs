//! Files of a Message: which existing and uploaded files it keeps, and how Discord renders them.
//!
//! Called for every Message body. <https://discord.com/developers/docs/reference#uploading-files>

use serde_json::{Value, json};

use super::{
    api_error::Form,
    snowflake::{Snowflake, from_json},
};

/// The maximum number of files in a Message.
const MOST: usize = 10;
/// The maximum length of a file's description.
const LONGEST_DESCRIPTION: usize = 1024;

/// A file that was uploaded together with a request's JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Upload {
    /// The form's field, such as `files[0]`.
    pub(super) field: String,
    /// The file's name.
    pub(super) name: String,
    /// Its contents.
    pub(super) bytes: Vec<u8>,
}

/// A file of a Message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attachment {
    /// Its id, once the Message exists.
    pub id: Option<Snowflake>,
    /// Its name.
    pub name: String,
    /// Its alternative text; may be empty.
    pub description: String,
    /// Its contents.
    pub bytes: Vec<u8>,
}

/// The files of a Message after a request: without a list, the existing and the uploaded ones; with a list, exactly those that it names.
pub(super) fn kept(list: Option<&Value>, came: &[Upload], before: &[Attachment], form: &mut Form) -> Vec<Attachment> {
    let new = |upload: &Upload, description: &str| Attachment {
        id: None,
        name: upload.name.clone(),
        description: description.to_owned(),
        bytes: upload.bytes.clone(),
    };
    let Some(list) = list.and_then(Value::as_array) else {
        return before.iter().cloned().chain(came.iter().map(|upload| new(upload, ""))).collect();
    };
    if list.len() > MOST {
        form.wrong("attachments", "BASE_TYPE_MAX_LENGTH", format!("Must be {MOST} or fewer in length."));
    }
    let mut kept = Vec::new();
    for (at, named) in list.iter().enumerate() {
        let description = named["description"].as_str().unwrap_or_default();
        form.length(&format!("attachments.{at}.description"), description, 0..=LONGEST_DESCRIPTION);
        // A small number refers to an uploaded file, a snowflake to an existing one.
        let number = named["id"]
            .as_u64()
            .map_or_else(|| named["id"].as_str().unwrap_or_default().to_owned(), |id| id.to_string());
        let upload = came.iter().find(|upload| upload.field == format!("files[{number}]"));
        let known = before.iter().find(|known| known.id.is_some() && known.id == from_json(&named["id"]));
        match (upload, known) {
            (Some(upload), _) => kept.push(new(upload, description)),
            (None, Some(known)) => kept.push(known.clone()),
            (None, None) => {
                form.wrong(format!("attachments.{at}"), "ATTACHMENT_NOT_FOUND", "Attachment data not found");
            }
        }
    }
    kept
}

impl Attachment {
    /// Its media type, by its name.
    pub fn media_type(&self) -> &'static str {
        match self.name.rsplit_once('.').map(|(_, extension)| extension) {
            Some("png") => "image/png",
            Some("csv") => "text/csv",
            Some("txt") => "text/plain",
            _ => "application/octet-stream",
        }
    }

    /// The width and height of a PNG, from its header.
    pub fn dimensions(&self) -> Option<(u32, u32)> {
        let header = self.bytes.strip_prefix(b"\x89PNG\r\n\x1a\n")?.get(4..)?.strip_prefix(b"IHDR")?;
        let number = |at| header.get(at..at + 4)?.try_into().ok().map(u32::from_be_bytes);
        Some((number(0)?, number(4)?))
    }

    pub(super) fn json(&self) -> Value {
        let id = self.id.unwrap_or_else(|| Snowflake::new(1));
        let address = format!("https://cdn.discordapp.com/attachments/1/{id}/{}", self.name);
        let mut json = json!({
            "id": id, "filename": self.name, "size": self.bytes.len(), "url": address, "proxy_url": address,
            "content_type": self.media_type(),
        });
        if let Some((width, height)) = self.dimensions() {
            json["width"] = width.into();
            json["height"] = height.into();
        }
        if !self.description.is_empty() {
            json["description"] = self.description.as_str().into();
        }
        json
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn upload(at: usize) -> Upload {
        Upload { field: format!("files[{at}]"), name: "costs.csv".to_owned(), bytes: b"a,b".to_vec() }
    }

    #[test]
    fn a_picture_tells_how_large_it_is() {
        let picture = |bytes: &[u8]| Attachment {
            id: None,
            name: "costs.png".to_owned(),
            description: String::new(),
            bytes: bytes.to_vec(),
        };
        let whole = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x03\x84\0\0\x01\xa4\x08";
        assert_eq!(picture(whole).dimensions(), Some((900, 420)));
        assert_eq!(picture(&whole[..18]).dimensions(), None);
        let json = picture(whole).json();
        assert_eq!((&json["content_type"], &json["width"]), (&json!("image/png"), &json!(900)));
    }

    #[test]
    fn what_is_named_must_have_come_and_its_description_fits() {
        let kept = |list: Value, came: &[Upload]| {
            let mut form = Form::default();
            let kept = kept(Some(&list), came, &[], &mut form);
            (kept.len(), form.done().is_ok())
        };
        let described =
            |letters: usize| json!([{"id": 0, "filename": "costs.csv", "description": "x".repeat(letters)}]);
        assert_eq!(kept(described(1024), &[upload(0)]), (1, true));
        assert_eq!(kept(described(1025), &[upload(0)]), (1, false));
        assert_eq!(kept(described(3), &[]), (0, false));
    }
}
