vim.bo.commentstring = "; %s"
vim.bo.expandtab = true
vim.bo.shiftwidth = 1
vim.bo.softtabstop = 1
pcall(function()
  vim.treesitter.start()
end)
