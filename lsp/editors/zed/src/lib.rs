//! Starts `aqua-lsp`: what the settings of Zed name under `lsp.aqua-lsp.binary`, else what is on the PATH.

use zed_extension_api::{self as zed, serde_json, settings::LspSettings};

const SERVER: &str = "aqua-lsp";

struct Aqua;

impl Aqua {
    /// `lsp.aqua-lsp.settings`: what `docs/editors.md` lists, without `aqua.` in front.
    fn settings(worktree: &zed::Worktree) -> serde_json::Value {
        LspSettings::for_worktree(SERVER, worktree)
            .ok()
            .and_then(|found| found.settings)
            .unwrap_or_else(|| serde_json::json!({}))
    }
}

impl zed::Extension for Aqua {
    fn new() -> Self {
        Aqua
    }

    fn language_server_command(
        &mut self,
        _id: &zed::LanguageServerId,
        worktree: &zed::Worktree,
    ) -> zed::Result<zed::Command> {
        let binary = LspSettings::for_worktree(SERVER, worktree)
            .ok()
            .and_then(|found| found.binary);
        let (path, arguments) = binary.map_or((None, None), |found| (found.path, found.arguments));
        let command = path.or_else(|| worktree.which(SERVER)).ok_or_else(|| {
            format!("`{SERVER}` was not found: install it with `pip install aquac`, or set lsp.{SERVER}.binary.path")
        })?;
        Ok(zed::Command {
            command,
            args: arguments.unwrap_or_default(),
            env: worktree.shell_env(),
        })
    }

    fn language_server_initialization_options(
        &mut self,
        _id: &zed::LanguageServerId,
        worktree: &zed::Worktree,
    ) -> zed::Result<Option<serde_json::Value>> {
        Ok(Some(Self::settings(worktree)))
    }

    fn language_server_workspace_configuration(
        &mut self,
        _id: &zed::LanguageServerId,
        worktree: &zed::Worktree,
    ) -> zed::Result<Option<serde_json::Value>> {
        Ok(Some(serde_json::json!({ "aqua": Self::settings(worktree) })))
    }
}

zed::register_extension!(Aqua);
