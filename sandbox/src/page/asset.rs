//! The files of the page, embedded: HTML, CSS, one icon and the modules, all from this folder.

use axum::{
    Router,
    http::header,
    response::{IntoResponse as _, Response},
    routing::get,
};

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const ICON: &str = "image/svg+xml";

macro_rules! modules {
    ($($name:literal),* $(,)?) => {
        /// Every file: its path, its media type, and its content.
        const FILES: &[(&str, &str, &str)] = &[
            ("/", HTML, include_str!("index.html")),
            ("/icon.svg", ICON, include_str!("icon.svg")),
            ("/theme.css", CSS, include_str!("css/theme.css")),
            ("/frame.css", CSS, include_str!("css/frame.css")),
            ("/message.css", CSS, include_str!("css/message.css")),
            ("/composer.css", CSS, include_str!("css/composer.css")),
            ("/panel.css", CSS, include_str!("css/panel.css")),
            $((concat!("/js/", $name, ".js"), SCRIPT, include_str!(concat!("js/", $name, ".js")))),*
        ];
    };
}

modules!(
    "announcer",
    "attachment",
    "channel",
    "clock",
    "composer",
    "desk",
    "droplets",
    "embed",
    "form",
    "live",
    "main",
    "markdown",
    "message",
    "modal",
    "moment",
    "node",
    "proof",
    "row",
    "seat",
    "sign",
    "state",
    "suggestions",
    "switches",
    "theme",
    "tour",
);

/// A route for each file.
pub(super) fn routes<S: Clone + Send + Sync + 'static>() -> Router<S> {
    FILES.iter().fold(Router::new(), |router, (path, kind, text)| {
        router.route(path, get(move || async move { file(kind, text) }))
    })
}

fn file(kind: &'static str, text: &'static str) -> Response {
    ([(header::CONTENT_TYPE, kind)], text).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_module_that_is_imported_is_served() {
        let served = |path: &str| FILES.iter().any(|(known, _, _)| *known == path);
        for (path, kind, text) in FILES.iter().filter(|(_, kind, _)| *kind == SCRIPT) {
            for line in text.lines().filter(|line| line.starts_with("import ") || line.starts_with("} from ")) {
                let module = line.split('"').nth(1).and_then(|name| name.strip_prefix("./"));
                let module = module.unwrap_or_else(|| panic!("{path} ({kind}): `{line}`"));
                assert!(served(&format!("/js/{module}")), "{path} imports {module}, which is not served");
            }
        }
    }

    #[test]
    fn the_page_loads_nothing_from_elsewhere_and_makes_no_html_of_text() {
        for (path, kind, text) in FILES {
            assert!(
                !text.contains("innerHTML") && !text.contains("insertAdjacentHTML"),
                "{path} builds HTML from text"
            );
            // Modules may contain `http` to recognize an address; the browser's own rules prevent requests to other sites.
            let foreign = text.replace("http://www.w3.org/2000/svg", "").contains("http");
            assert!(*kind == SCRIPT || !foreign, "{path} names another site");
        }
    }
}
