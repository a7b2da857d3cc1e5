-- Instances, and the connections that they hold. All of this ends by the engine's clock, and instances
-- renew it.
local ALIVE, PRESENT = 15000, 60000

-- The epoch and the life of the plane that somebody who begins proposes, or those that are there.
function OPS.begin()
  call('SET', T .. 'epoch', A[1], 'NX')
  call('SET', T .. 'plane', A[2], 'NX')
  return call('GET', T .. 'epoch'), call('GET', T .. 'plane'), text(engine_ms())
end

-- accounts whose sockets this instance holds; says that it runs
function OPS.renew()
  local till, all = engine_ms() + ALIVE, T .. 'instances'
  call('ZADD', all, text(till), ME)
  call('ZREMRANGEBYSCORE', all, '-inf', text(engine_ms()))
  call('PEXPIRE', all, ALIVE)
  for _, account in ipairs(A) do
    local key = T .. 'at:' .. account
    call('HSET', key, ME, text(engine_ms() + PRESENT))
    call('PEXPIRE', key, PRESENT)
    call('PEXPIRE', T .. 'pr:' .. account, PRESENT)
  end
  return 'ok'
end

-- A connection: instance, number, session, bucket of its bundle or less than nought, bundle.
local function connection_of(packed)
  local instance, number, session, bucket = unpack_of('>c16c8c32d', packed)
  return { instance = instance, number = number, session = session, bucket = bucket,
    bundle = string.sub(packed, 65) }
end
local function put_connection(account, live, c)
  local key = T .. 'pr:' .. account
  call('HSET', key, live, pack('>c16c8c32d', c.instance, c.number, c.session, c.bucket) .. c.bundle)
  call('PEXPIRE', key, PRESENT)
end
local function connection_at(account, live)
  local packed = call('HGET', T .. 'pr:' .. account, live)
  local c = packed and connection_of(packed)
  if c and is_alive(c.instance) then return c end
  if c then call('HDEL', T .. 'pr:' .. account, live) end
end
local function connections(account)
  local all, out = call('HGETALL', T .. 'pr:' .. account), {}
  for i = 1, #all, 2 do
    local c = connection_at(account, all[i])
    if c then c.live = all[i]; out[#out + 1] = c end
  end
  return out
end
-- The connection if it is still the one of its live session.
local function same(account, live, number)
  local c = connection_at(account, live)
  return c and c.instance == ME and c.number == number and c or nil
end

-- account, live, session, number, connections that a session may have
function OPS.join()
  local account, live, session, number = A[1], A[2], A[3], A[4]
  local old, count = connection_at(account, live), 0
  if old then
    call('HDEL', T .. 'pr:' .. account, live)
    local gone = account .. old.session .. live .. old.number
    tell_others(account, frame('P', gone))
    EVENTS[1] = 'P' .. gone
  end
  for _, c in ipairs(connections(account)) do if c.session == session then count = count + 1 end end
  if count >= tonumber(A[5]) then return 'toomany' end
  put_connection(account, live, { instance = ME, number = number, session = session, bucket = -1, bundle = '' })
  return 'ok'
end

-- account, live, number: whether the live session has no other connection
function OPS.leave()
  if same(A[1], A[2], A[3]) then call('HDEL', T .. 'pr:' .. A[1], A[2]) end
  return connection_at(A[1], A[2]) and '0' or '1'
end

-- account, live, number, bucket, bundle: whether it is the first
function OPS.publish()
  local c = same(A[1], A[2], A[3])
  if not c then return '0' end
  local is_first = c.bucket < 0
  c.bucket, c.bundle = tonumber(A[4]), A[5]
  put_connection(A[1], A[2], c)
  return is_first and '1' or '0'
end

local function withdraw(account, live, c)
  c.bucket, c.bundle = -1, ''
  put_connection(account, live, c)
end

-- account, live, number
function OPS.withdraw()
  local c = same(A[1], A[2], A[3])
  if c then withdraw(A[1], A[2], c) end
  return 'ok'
end
function OPS.withdraw_all()
  for _, c in ipairs(connections(A[1])) do withdraw(A[1], c.live, c) end
  return 'ok'
end

-- account, bucket: live session, session, number and bundle of each
function OPS.bundles()
  local out = {}
  for _, c in ipairs(connections(A[1])) do
    if c.bucket >= tonumber(A[2]) then out[#out + 1] = c.live .. c.session .. c.number .. c.bundle end
  end
  return out
end

-- account; then live sessions: which of them are connected
function OPS.holds()
  local out = {}
  for i = 2, #A do out[i - 1] = connection_at(A[1], A[i]) and '1' or '0' end
  return out
end

-- account, session, code
function OPS.end_session()
  for _, c in ipairs(connections(A[1])) do
    if c.session == A[2] then withdraw(A[1], c.live, c) end
  end
  call('SET', T .. 'se:' .. A[2], A[3], 'PX', 3600000)
  -- Also those without a socket of the account: they may let requests in by the session.
  tell_everybody(frame('S', A[1] .. A[2] .. A[3]))
  return 'ok'
end

function OPS.accounts_changed() tell_everybody(frame('Y', '')); return 'ok' end

-- account, frame for its connections
function OPS.relay() tell_others(A[1], frame('T', A[1] .. A[2])); return 'ok' end

-- account; then live session, session and number of connections that may have missed something: what
-- became of each
function OPS.missed()
  local out = {}
  for i = 2, #A, 3 do
    local code, there = call('GET', T .. 'se:' .. A[i + 1]), connection_at(A[1], A[i])
    out[#out + 1] = code and 'S' .. code or same(A[1], A[i], A[i + 2]) and 'K' or there and 'P' or 'N'
  end
  return out
end
