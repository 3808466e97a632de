vim.bo.commentstring = "-- %s"
vim.bo.expandtab = true
vim.bo.shiftwidth = 4
vim.bo.softtabstop = 4
-- With the parser of `install-parsers.sh`; without it there are the colours of the server.
pcall(function()
  vim.treesitter.start()
end)
