-- The state of the ephemeral plane at one node. Bodies and slots never pass through here: functions see
-- ids, states and sizes.
--
-- Every function is called with: prefix of the keys, epoch of the node (empty where none is compared),
-- unix milliseconds, bounds, name of the calling instance; then its own arguments.

-- The engine of Redis 7.0 has these only while a function runs.
local function unpack_of(...) return struct.unpack(...) end
local function pack(...) return struct.pack(...) end
local function call(...) return redis.call(...) end

-- Set at the beginning of each call: prefix, arguments, time, bounds, caller, and what is told.
local T, A, now, C, ME, EVENTS, OUT, ENGINE_MS
local ZEROS = {}

-- A whole number, as text. Lua's own form of large ones has an exponent.
local function text(number) return string.format('%.0f', number) end

local function engine_ms()
  if not ENGINE_MS then
    local t = call('TIME')
    ENGINE_MS = tonumber(t[1]) * 1000 + math.floor(tonumber(t[2]) / 1000)
  end
  return ENGINE_MS
end

-- Overwrites a string where it lies and frees it. It is written in powers of two, so that the zeros
-- are made once.
local function wipe(key)
  local size, at = call('STRLEN', key), 0
  if size == 0 then call('DEL', key); return end
  while at < size do
    local i = 16
    while 2 ^ i > size - at do i = i - 1 end
    if not ZEROS[i] then ZEROS[i] = string.rep('\0', 2 ^ i) end
    call('SETRANGE', key, at, ZEROS[i])
    at = at + 2 ^ i
  end
  call('DEL', key)
end

-- Small things end by themselves: `ends` has when, by the instances' clock, and the engine ends them a
-- minute later although nobody tidies.
local GRACE = 60000
local function ends_at(key, at)
  call('ZADD', T .. 'ends', text(at), key)
  call('PEXPIRE', key, text(math.max(at - now, 0) + GRACE))
end
local function drop(key)
  call('DEL', key)
  call('ZREM', T .. 'ends', key)
end
-- Forgets when an emptied hash or set ends.
local function drop_if_empty(key)
  if call('EXISTS', key) == 0 then call('ZREM', T .. 'ends', key) end
end

-- Tells every other instance that holds sockets of an account; what the caller holds is in its answer.
local function tell_others(account, what, once)
  local at = call('HGETALL', T .. 'at:' .. account)
  for i = 1, #at, 2 do
    local instance = at[i]
    if tonumber(at[i + 1]) <= engine_ms() then
      call('HDEL', T .. 'at:' .. account, instance)
    elseif instance ~= ME and not (once and once[instance]) then
      if once then once[instance] = true end
      if not OUT[instance] then OUT[instance] = {} end
      table.insert(OUT[instance], what)
    end
  end
end

-- Tells every other instance that runs, whatever it holds.
local function tell_everybody(what)
  for _, instance in ipairs(call('ZRANGEBYSCORE', T .. 'instances', text(engine_ms()), '+inf')) do
    if instance ~= ME then
      if not OUT[instance] then OUT[instance] = {} end
      table.insert(OUT[instance], what)
    end
  end
end

local function send_all()
  for instance, all in next, OUT do
    call('PUBLISH', T .. 'i:' .. instance, table.concat(all))
  end
end

-- Whether an instance has said lately that it runs.
local function is_alive(instance)
  if instance == ME then return true end
  local until_ms = call('ZSCORE', T .. 'instances', instance)
  return until_ms and tonumber(until_ms) > engine_ms()
end

-- What is told has its length before it, so that several go in one message.
local function frame(kind, bytes) return pack('>I4', #bytes + 1) .. kind .. bytes end

local OPS = {}
