--- Aqua for Neovim 0.7 and later: the language server, and the commands that stand above functions.
---
--- `vim.g.aqua = { settings = { importFolders = { "lib" } }, cmd = { "aqua-lsp" } }`, set before the plugin is loaded, changes what
--- it does.

local M = {}

local given = vim.g.aqua or {}

M.config = {
  name = "aqua",
  cmd = given.cmd or { "aqua-lsp" },
  filetypes = { "aqua", "air" },
  root_markers = { ".git", "package.json" },
  settings = { aqua = given.settings or vim.empty_dict() },
  init_options = given.settings or vim.empty_dict(),
}

local function tell(text, level)
  vim.notify(text, level or vim.log.levels.ERROR)
end

local function root_of(file)
  local folder = vim.fn.fnamemodify(file, ":p:h")
  for _, marker in ipairs(M.config.root_markers) do
    local found = vim.fn.finddir(marker, folder .. ";")
    if found == "" then
      found = vim.fn.findfile(marker, folder .. ";")
    end
    if found ~= "" then
      return vim.fn.fnamemodify(found, ":p:h" .. (vim.fn.isdirectory(found) == 1 and ":h" or ""))
    end
  end
  return folder
end

local clients = {} -- of Neovim 0.7, by root

local function start(buffer)
  if vim.fn.executable(M.config.cmd[1]) == 0 then
    if not M.told then
      M.told = true
      tell("`" .. M.config.cmd[1] .. "` was not found: install it with `pip install aquac`, or set vim.g.aqua.cmd")
    end
    return
  end
  local config = vim.tbl_extend("force", M.config, { root_dir = root_of(vim.api.nvim_buf_get_name(buffer)) })
  if vim.lsp.start then
    vim.lsp.start(config, { bufnr = buffer })
  else
    clients[config.root_dir] = clients[config.root_dir] or vim.lsp.start_client(config)
    vim.lsp.buf_attach_client(buffer, clients[config.root_dir])
  end
end

--- Show the script of an exported function in a window of its own; called by the lens `show AIR`.
local function show_air(command, context)
  local name = command.arguments[2]
  local params = { command = command.command, arguments = command.arguments }
  vim.lsp.buf_request(context.bufnr, "workspace/executeCommand", params, function(err, script)
    if err or script == nil or script == vim.NIL then
      tell(err and err.message or ("`" .. name .. "` has no AIR: the program has errors, or does not export it"))
      return
    end
    vim.cmd("rightbelow vnew")
    vim.api.nvim_buf_set_lines(0, 0, -1, false, vim.split(script, "\n"))
    vim.bo.buftype, vim.bo.bufhidden, vim.bo.modifiable = "nofile", "wipe", false
    vim.bo.filetype = "air" -- last, so that no server is asked about it
  end)
end

--- Run an exported function with `avm run` in a terminal; called by the lens `run`.
local function run(command)
  local file, name = vim.uri_to_fname(command.arguments[1]), command.arguments[2]
  vim.cmd("silent! update")
  vim.ui.input({ prompt = name .. "(…), arguments as in Aqua: " }, function(arguments)
    if arguments ~= nil then
      vim.cmd("botright new")
      local call = { "avm", "run", file, "-f", name .. "(" .. arguments .. ")" }
      if vim.fn.has("nvim-0.11") == 1 then
        vim.fn.jobstart(call, { term = true })
      else
        vim.fn.termopen(call)
      end
    end
  end)
end

--- Show the picture of an exported function; called by the lens of that name.
local function show_graph(command)
  local file, name = vim.uri_to_fname(command.arguments[1]), command.arguments[2]
  vim.cmd("silent! update")
  local text = vim.fn.systemlist({ "aquac", "graph", file, "-f", name, "--format", "mermaid" })
  if vim.v.shell_error ~= 0 then
    tell(table.concat(text, "\n"))
    return
  end
  vim.cmd("rightbelow vnew")
  vim.api.nvim_buf_set_lines(0, 0, -1, false, text)
  vim.bo.buftype, vim.bo.bufhidden, vim.bo.filetype = "nofile", "wipe", "mermaid"
end

function M.setup()
  vim.lsp.commands["aqua.showAir"] = show_air
  vim.lsp.commands["aqua.run"] = run
  vim.lsp.commands["aqua.showGraph"] = show_graph
  if vim.lsp.enable then
    vim.lsp.enable("aqua")
    return
  end
  vim.api.nvim_create_autocmd("FileType", {
    group = vim.api.nvim_create_augroup("aqua", {}),
    pattern = M.config.filetypes,
    callback = function(event)
      if vim.bo[event.buf].buftype == "" then
        start(event.buf)
      end
    end,
  })
end

return M
