-- What a person does in Neovim: nvim --headless -u NONE --cmd 'set rtp+=…/neovim' -c 'luafile neovim.lua'
-- Writes what happened as JSON into $AQUA_RESULT.

local LIMIT_MS = 60000
local seen = { version = tostring(vim.version().major) .. "." .. vim.version().minor }

local function wait(what, test)
  if not vim.wait(LIMIT_MS, test, 20) then
    error(what .. " did not come")
  end
end

local function call(method, params)
  local answers = vim.lsp.buf_request_sync(0, method, params, LIMIT_MS) or {}
  for _, answer in pairs(answers) do
    assert(answer.error == nil or answer.err == nil, vim.inspect(answer))
    return answer.result
  end
end

local function put(from, to)
  for number, line in ipairs(vim.api.nvim_buf_get_lines(0, 0, -1, false)) do
    local start, stop = line:find(from, 1, true)
    if start then
      vim.api.nvim_buf_set_text(0, number - 1, start - 1, number - 1, stop, { to })
      return
    end
  end
  error("no " .. from)
end

local function main()
  vim.cmd("filetype plugin on")
  vim.cmd("edit " .. vim.env.AQUA_FILE)
  seen.filetype = vim.bo.filetype
  seen.commentstring = vim.bo.commentstring
  wait("a diagnostic", function()
    return #vim.diagnostic.get(0) > 0
  end)
  local found = vim.diagnostic.get(0)[1]
  seen.code = found.code or (found.user_data and found.user_data.lsp.code)
  seen.message = found.message
  put("helo", "hello")
  wait("the end of the diagnostic", function()
    return #vim.diagnostic.get(0) == 0
  end)

  vim.fn.search("Op\\.")
  vim.api.nvim_win_set_cursor(0, { vim.fn.line("."), vim.fn.col(".") + 2 })
  local document = { uri = vim.uri_from_bufnr(0) }
  local at = { line = vim.fn.line(".") - 1, character = vim.fn.col(".") - 1 }
  local list = call("textDocument/completion", { textDocument = document, position = at })
  seen.labels = vim.tbl_map(function(item)
    return item.label
  end, list.items or list)

  if vim.lsp.buf.format then
    vim.lsp.buf.format({ timeout_ms = LIMIT_MS })
  else
    vim.lsp.buf.formatting_sync(nil, LIMIT_MS)
  end
  seen.text = table.concat(vim.api.nvim_buf_get_lines(0, 0, -1, false), "\n")

  local main_buffer = vim.api.nvim_get_current_buf()
  for _, lens in ipairs(call("textDocument/codeLens", { textDocument = document })) do
    if lens.command.command == "aqua.showAir" and lens.command.arguments[2] == "greet" then
      vim.lsp.commands["aqua.showAir"](lens.command, { bufnr = main_buffer })
    end
  end
  wait("the script", function()
    return vim.bo.filetype == "air"
  end)
  seen.air = table.concat(vim.api.nvim_buf_get_lines(0, 0, -1, false), "\n")
  vim.cmd("close")

  vim.ui.input = function(_, answer)
    answer('"Aqua"')
  end
  local ended = false
  vim.api.nvim_create_autocmd("TermClose", {
    callback = function()
      ended = true
    end,
  })
  vim.lsp.commands["aqua.run"]({ arguments = { document.uri, "greet" } })
  local terminal = vim.api.nvim_get_current_buf()
  wait("the end of the run", function()
    return ended
  end)
  seen.run = table.concat(vim.api.nvim_buf_get_lines(terminal, 0, -1, false), "\n")
  if vim.treesitter and vim.treesitter.highlighter then
    seen.coloured = vim.treesitter.highlighter.active[main_buffer] ~= nil
  end
end

local fine, problem = xpcall(main, debug.traceback)
seen.problem = not fine and problem or nil
local file = assert(io.open(vim.env.AQUA_RESULT, "w"))
file:write(vim.json and vim.json.encode(seen) or vim.fn.json_encode(seen))
file:close()
vim.cmd("qall!")
