-- Used tokens, attempts, who wrote to whom, given prekeys, and when halves of resume wraps end.
local DAY = 86400000

-- nonce, unix milliseconds of its end: whether it was unused
function OPS.use_up()
  local key = T .. 'u:' .. A[1]
  if call('EXISTS', key) == 1 then return '0' end
  call('SET', key, '')
  ends_at(key, tonumber(A[2]))
  return '1'
end

-- Buckets by the generic cell rate algorithm: when the bucket is full again, attempts, and the last one,
-- in microseconds.
local FORGIVEN, FEW = 3600000000, 60000000
local function attempt(key, step, burst, growing, now_us)
  local full_at, count, last = now_us, 0, now_us
  local s = call('GET', key)
  if s then full_at, count, last = unpack_of('>ddd', s) end
  if now_us - last >= FORGIVEN then count = 0 end
  local cost = 1
  if growing then cost = math.min(burst, 2 ^ math.min(math.floor(count / burst), 4)) end
  local full = math.max(full_at, now_us) + step * cost
  local over = full - (now_us + step * burst)
  if over > 0 then return over end
  call('SET', key, pack('>ddd', full, count + 1, now_us))
  local life = not growing and 0 or count + 1 < burst and FEW or FORGIVEN
  ends_at(key, math.max(math.ceil(full / 1000), math.ceil((now_us + life) / 1000)))
end

-- now in microseconds; then key, microseconds of one attempt, burst and whether it grows: how many were
-- counted, and for how long the next one is refused
function OPS.take()
  local now_us, counted = tonumber(A[1]), 0
  for i = 2, #A, 4 do
    local over = attempt(T .. 'l:' .. A[i], tonumber(A[i + 1]), tonumber(A[i + 2]), A[i + 3] == '1', now_us)
    if over then return text(counted), text(over) end
    counted = counted + 1
  end
  return text(counted), '0'
end

local function note_wrote(pair)
  call('SET', T .. 'w:' .. pair, text(math.floor(now / 1000)))
  ends_at(T .. 'w:' .. pair, (math.floor(now / 1000) * 1000) + 8 * DAY)
end
local function wrote_within(pair, seconds)
  local last = call('GET', T .. 'w:' .. pair)
  return last and tonumber(last) + seconds > math.floor(now / 1000)
end

-- now in microseconds, rule's key, microseconds, burst, grows; then pairs, each in both directions
function OPS.writes_to()
  local now_us, done = tonumber(A[1]), 0
  for i = 6, #A, 2 do
    if not wrote_within(A[i], 86400) and not wrote_within(A[i + 1], 86400) then
      local over = attempt(T .. 'l:' .. A[2], tonumber(A[3]), tonumber(A[4]), A[5] == '1', now_us)
      if over then return text(done), text(over) end
    end
    note_wrote(A[i])
    done = done + 1
  end
  return text(done), '0'
end
-- pairs
function OPS.wrote()
  for _, pair in ipairs(A) do note_wrote(pair) end
  return 'ok'
end
function OPS.has_written()
  local out = {}
  for i, pair in ipairs(A) do out[i] = wrote_within(pair, 8 * 86400) and '1' or '0' end
  return out
end

-- Prekeys that were given: `cg` by recipient in this bucket of time, `ct` how many each account took of one
-- today; `cb` and `ca` name the recipients.
local BUCKET, PER_DAY = 300000, 25
local function keys_of(session, account, recipient)
  local bucket, day = text(math.floor(now / BUCKET)), text(math.floor(now / DAY))
  return T .. 'cg:' .. bucket .. ':' .. recipient, T .. 'ct:' .. day .. ':' .. recipient,
    T .. 'cb:' .. bucket .. ':' .. session, T .. 'ca:' .. day .. ':' .. account
end
local function bucket_end() return (math.floor(now / BUCKET) + 1) * BUCKET end
local function day_end() return (math.floor(now / DAY) + 1) * DAY end

-- session, account, recipient
function OPS.entitlement()
  local given, taken = keys_of(A[1], A[2], A[3])
  local prekey = call('HGET', given, A[1])
  if prekey then return 'given', prekey end
  return tonumber(call('HGET', taken, A[2]) or 0) >= PER_DAY and 'last' or 'onetime'
end

-- session, account, recipient, prekey, whether it is one of one time
function OPS.given()
  local given, taken, by_session, by_account = keys_of(A[1], A[2], A[3])
  if A[5] == '1' then
    call('HINCRBY', taken, A[2], 1)
    call('SADD', by_account, A[3])
    ends_at(taken, day_end()); ends_at(by_account, day_end())
  end
  call('HSETNX', given, A[1], A[4])
  call('SADD', by_session, A[3])
  ends_at(given, bucket_end()); ends_at(by_session, bucket_end())
  return call('HGET', given, A[1])
end

local function forget_given(session, recipient)
  local given, _, by_session = keys_of(session, NOBODY, recipient)
  call('HDEL', given, session); drop_if_empty(given)
  call('SREM', by_session, recipient); drop_if_empty(by_session)
end

function OPS.forget_recipient()
  local given = keys_of(NOBODY, NOBODY, A[1])
  for _, session in ipairs(call('HKEYS', given)) do forget_given(session, A[1]) end
  return 'ok'
end

-- account; then its sessions
function OPS.forget_claimer()
  local account = A[1]
  OPS.forget_recipient()
  local _, taken_of, _, by_account = keys_of(NOBODY, account, account)
  for _, recipient in ipairs(call('SMEMBERS', by_account)) do
    local _, taken = keys_of(NOBODY, account, recipient)
    call('HDEL', taken, account); drop_if_empty(taken)
  end
  drop(by_account)
  for _, other in ipairs(call('HKEYS', taken_of)) do
    local _, _, _, by_other = keys_of(NOBODY, other, account)
    call('SREM', by_other, account); drop_if_empty(by_other)
  end
  drop(taken_of)
  for i = 2, #A do
    local _, _, by_session = keys_of(A[i], account, account)
    for _, recipient in ipairs(call('SMEMBERS', by_session)) do forget_given(A[i], recipient) end
  end
  return 'ok'
end

-- A half lies at `h:<session>` and passes through no function. Here is only until when it is kept.
local function erase_half(session)
  wipe(T .. 'h:' .. session)
  drop(T .. 'he:' .. session)
end
-- session, unix milliseconds: before the half is sent
function OPS.keep_half()
  erase_half(A[1])
  call('SET', T .. 'he:' .. A[1], A[2])
  call('ZADD', T .. 'ends', A[2], T .. 'he:' .. A[1])
  return 'ok'
end
function OPS.has_half()
  local till = call('GET', T .. 'he:' .. A[1])
  return till and tonumber(till) > now and '1' or '0'
end
function OPS.erase_halves()
  for _, session in ipairs(A) do erase_half(session) end
  return 'ok'
end

local function end_small(key)
  local session = string.match(key, 'he:(.*)$', #T + 1)
  if session and string.sub(key, #T + 1, #T + 3) == 'he:' then erase_half(session) else drop(key) end
end
-- how many at most: ends what is due; whether more is
function OPS.tidy()
  local due = call('ZRANGEBYSCORE', T .. 'ends', '-inf', text(now), 'LIMIT', 0, A[1])
  for _, key in ipairs(due) do end_small(key) end
  return #due == tonumber(A[1]) and '1' or '0'
end

-- how many at most: ends the plane if no other instance runs: with the last one goes who would end what
-- expires. Returns messages that were wiped, and whether more is left.
function OPS.leave_plane()
  local limit, wiped = tonumber(A[1]), 0
  call('ZREM', T .. 'instances', ME)
  for _, other in ipairs(call('ZRANGE', T .. 'instances', 0, -1)) do
    if is_alive(other) then return '0', '0' end
  end
  for _, id in ipairs(call('ZRANGE', T .. 'due', 0, limit - 1)) do
    local m = load_message(id)
    for _, t in ipairs(m and m.slots or {}) do finish(m, t, DONE) end
    if m then settle(m); wiped = wiped + 1 else call('ZREM', T .. 'due', id) end
  end
  for _, id in ipairs(call('ZRANGE', T .. 'tt', 0, limit - 1)) do forget_fate(id) end
  for _, r in ipairs(call('ZRANGE', T .. 'stage', 0, limit - 1)) do release(r); call('ZREM', T .. 'stage', r) end
  for _, key in ipairs(call('ZRANGE', T .. 'ends', 0, limit - 1)) do end_small(key) end
  local left = 0
  for _, key in ipairs({ 'due', 'tt', 'stage', 'ends' }) do left = left + call('ZCARD', T .. key) end
  if left == 0 then call('DEL', T .. 'epoch', T .. 'plane') end
  return text(wiped), left > 0 and '1' or '0'
end
