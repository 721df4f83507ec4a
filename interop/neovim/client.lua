-- Makes the call of each line of the input, [METHOD, ARGUMENT...], and prints its outcome as a line of JSON. Neovim's own
-- MessagePack-RPC is the client. A method with a `!` in front is told, by a notification, and not asked.

local function say(outcome)
  io.stdout:write(vim.json.encode(outcome) .. "\n")
  io.stdout:flush()
end

local channel = vim.fn.sockconnect("tcp", vim.env.PEER, { rpc = true })
for line in io.stdin:lines() do
  local call = vim.json.decode(line)
  local told = call[1]:match("^!(.*)")
  call[1] = told or call[1]
  local fine, result = pcall(told and vim.rpcnotify or vim.rpcrequest, channel, unpack(call))
  say({ [fine and "result" or "error"] = result == nil and vim.NIL or result })
end
vim.cmd("qa!")
