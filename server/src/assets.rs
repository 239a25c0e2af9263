//! The page's files: where they are, and how they are sent.
//!
//! `cargo xtask build` lays them beside the program (`target/debug/site`); `STEPBACK_SITE` names another folder. So the
//! program finds them wherever it is started from.

use std::io;
use std::path::{Component, Path, PathBuf};

use app::AssetPaths;
use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, header};

/// Content types by file ending; nothing else is part of a site.
const TYPES: [(&str, &str); 12] = [
    ("css", "text/css; charset=utf-8"),
    ("js", "text/javascript; charset=utf-8"),
    ("wasm", "application/wasm"),
    ("svg", "image/svg+xml"),
    ("png", "image/png"),
    ("ico", "image/x-icon"),
    ("txt", "text/plain; charset=utf-8"),
    ("json", "application/json"),
    ("webmanifest", "application/manifest+json"),
    ("woff2", "font/woff2"),
    ("map", "application/json"),
    ("html", "text/html; charset=utf-8"),
];

/// A folder with the page's files.
#[derive(Clone, Debug)]
pub struct Site {
    root: PathBuf,
    paths: AssetPaths,
}

/// The page's files are not where they should be.
#[derive(Debug, thiserror::Error)]
#[error(
    "the page's files are not in {folder}: {detail}. Build them with `cargo xtask build`, or name their folder in STEPBACK_SITE"
)]
pub struct SiteError {
    folder: String,
    detail: String,
}

impl Site {
    /// Reads `assets.json` of the folder beside the program, or of `STEPBACK_SITE`.
    ///
    /// # Errors
    /// The folder or its list of files cannot be read.
    pub fn find() -> Result<Self, SiteError> {
        let root = match std::env::var_os("STEPBACK_SITE") {
            Some(folder) => PathBuf::from(folder),
            None => std::env::current_exe()
                .ok()
                .and_then(|exe| exe.parent().map(|p| p.join("site")))
                .unwrap_or_else(|| PathBuf::from("site")),
        };
        Self::at(root)
    }

    /// Reads `assets.json` of this folder.
    ///
    /// # Errors
    /// The folder or its list of files cannot be read.
    pub fn at(root: PathBuf) -> Result<Self, SiteError> {
        let error = |detail: String| SiteError { folder: root.display().to_string(), detail };
        let list = std::fs::read(root.join("assets.json")).map_err(|e| error(e.to_string()))?;
        let paths = serde_json::from_slice(&list).map_err(|e| error(format!("assets.json: {e}")))?;
        Ok(Self { root, paths })
    }

    /// A site without files, for tests of pages and API.
    pub fn without_files() -> Self {
        let none = String::new;
        Self {
            root: PathBuf::from("/nonexistent"),
            paths: AssetPaths { js: none(), wasm: none(), css: none(), boot: none() },
        }
    }

    /// The names of the page's main files.
    pub fn paths(&self) -> &AssetPaths {
        &self.paths
    }

    /// The file a request path names; `None` when there is none, or its name is not one of a site.
    pub async fn respond(&self, path: &str, request: &HeaderMap) -> Option<Response<Body>> {
        let relative = Path::new(path.trim_start_matches('/'));
        let plain = relative.components().all(|c| matches!(c, Component::Normal(_)));
        let ending = relative.extension()?.to_str()?;
        let (_, kind) = TYPES.iter().find(|(e, _)| *e == ending)?;
        if !plain || relative == Path::new("assets.json") {
            return None;
        }
        let file = self.root.join(relative);
        let (bytes, encoding) = self.read(&file, request).await.ok()?;
        let mut response = Response::new(Body::from(bytes));
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        // Files under pkg/ have their content's hash in their name.
        let hashed = relative.starts_with("pkg");
        let cache = if hashed { "public, max-age=31536000, immutable" } else { "public, max-age=3600" };
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
        if let Some(encoding) = encoding {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
        }
        *response.status_mut() = StatusCode::OK;
        Some(response)
    }

    /// The file, compressed beforehand where the build has done so and the browser takes it.
    async fn read(&self, file: &Path, request: &HeaderMap) -> io::Result<(Vec<u8>, Option<&'static str>)> {
        let accepted = request.get(header::ACCEPT_ENCODING).and_then(|v| v.to_str().ok()).unwrap_or_default();
        for (token, ending) in [("br", "br"), ("gzip", "gz")] {
            let takes = accepted.split(',').any(|e| e.split(';').next().is_some_and(|e| e.trim() == token));
            if takes {
                let mut name = file.as_os_str().to_owned();
                name.push(format!(".{ending}"));
                if let Ok(bytes) = tokio::fs::read(name).await {
                    return Ok((bytes, Some(token)));
                }
            }
        }
        tokio::fs::read(file).await.map(|bytes| (bytes, None))
    }
}
