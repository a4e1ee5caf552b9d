-- For wrk: sends the requests of a file, each once, and writes every answer to another. wrk itself goes on for its whole
-- duration: LOG.N.done says that all are answered, and then SIGINT ends it.
-- Arguments: REQUESTS LOG. Thread N reads REQUESTS.N ("show token seats" by line) and writes LOG.N ("status body").
local threads = 0

function setup(thread)
  thread:set("number", threads)
  threads = threads + 1
end

function init(arguments)
  requests, next_request, answered = {}, -1, 0  -- wrk calls request() once for itself, to look at it
  for line in io.lines(arguments[1] .. "." .. number) do
    local show, token, seats = line:match("^(%S+) (%S+) (%S+)$")
    local headers = { ["Content-Type"] = "application/json", ["Authorization"] = "Bearer " .. token }
    requests[#requests + 1] = wrk.format("POST", "/shows/" .. show .. "/reserve", headers, '{"seat_ids":[' .. seats .. "]}")
  end
  idle = wrk.format("GET", "/healthz")
  log = io.open(arguments[2] .. "." .. number, "w")
  done = arguments[2] .. "." .. number .. ".done"
end

function request()
  next_request = next_request + 1
  return requests[next_request] or idle
end

function response(status, headers, body)
  if status == 200 then return end  -- the idle request of a connection that has nothing left to ask
  log:write(status, " ", (body:gsub("\n", " ")), "\n")
  answered = answered + 1
  if answered == #requests then
    log:close()
    io.open(done, "w"):close()
    wrk.thread:stop()
  end
end
