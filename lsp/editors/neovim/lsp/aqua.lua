-- What Neovim 0.11 reads for `vim.lsp.enable("aqua")`; `vim.lsp.config("aqua", { settings = { aqua = { … } } })` changes it.
return require("aqua").config
