-- Quotas, fates of ended messages, and accounts that were erased.
local FORGOTTEN, MOST_FORGOTTEN = 3600000, 16384

-- What one account may hold: half of what is free in an empty vault, and less the fuller it is.
local function share(used, total)
  local free = math.max(total - used, 0)
  return math.floor(free * free / (2 * math.max(total, 1)))
end

local function add(key, field, by)
  -- Lua has a zero below nought, which the engine does not read.
  return call('HINCRBY', key, field, by == 0 and '0' or text(by))
end

local function refund(poster, messages, bytes)
  for _, key in ipairs({ T .. 'q', T .. 'q:' .. poster }) do
    local m, b = add(key, 'm', -messages), add(key, 'b', -bytes)
    if m <= 0 and b <= 0 then call('DEL', key) end
  end
end

-- Charges an account; returns which bound it would exceed.
local function charge(poster, messages, bytes)
  local key = T .. 'q:' .. poster
  local own, all = call('HMGET', key, 'm', 'b'), call('HMGET', T .. 'q', 'm', 'b')
  local held, own_b = tonumber(own[1] or 0), tonumber(own[2] or 0)
  local all_m, all_b = tonumber(all[1] or 0), tonumber(all[2] or 0)
  local m, b = held + messages, own_b + bytes
  if m > C.account_m or b > C.account_b then return 'account' end
  if all_m + messages > C.total_m or all_b + bytes > C.total_b then return 'vault' end
  if m > math.max(share(all_m, C.total_m), 1) or b > share(all_b, C.total_b) then
    return held == 0 and 'vault' or 'account'
  end
  for _, k in ipairs({ T .. 'q', key }) do add(k, 'm', messages); add(k, 'b', bytes) end
end

local function first_due()
  local d = call('ZRANGE', T .. 'due', 0, 0, 'WITHSCORES')
  return d[1], tonumber(d[2])
end

-- Milliseconds until there may be room.
local function retry_after()
  local _, due = first_due()
  return math.min(math.max((due or 0) - now, 1000), 3600000)
end

-- `t:<id>` has a fate, `tt` all of them by age, `tp:<poster>` those of one, `te` when each is forgotten.
local function fate_of(id)
  local s = call('GET', T .. 't:' .. id)
  if not s then return nil end
  return unpack_of('>c16c1d', s)
end

local function forget_fate(id)
  local poster = fate_of(id)
  call('DEL', T .. 't:' .. id)
  call('ZREM', T .. 'tt', id)
  call('ZREM', T .. 'te', id)
  if poster then call('ZREM', T .. 'tp:' .. poster, id) end
end

local function bury(m)
  if C.fates == 0 or C.account_fates == 0 then return end
  local till, n = math.max(m.exp, now + FATE), call('INCR', T .. 'fate_seq')
  forget_fate(m.id)
  local own = T .. 'tp:' .. m.poster
  if call('ZCARD', own) >= C.account_fates then forget_fate(call('ZRANGE', own, 0, 0)[1]) end
  if call('ZCARD', T .. 'tt') >= C.fates then forget_fate(call('ZRANGE', T .. 'tt', 0, 0)[1]) end
  call('SET', T .. 't:' .. m.id, pack('>c16c1d', m.poster, m.acked == 1 and 'K' or 'X', till))
  call('ZADD', own, text(n), m.id)
  call('ZADD', T .. 'tt', text(n), m.id)
  call('ZADD', T .. 'te', text(till), m.id)
end

local function is_buried(id)
  local poster, _, till = fate_of(id)
  return poster and now < till
end

-- Accounts that were erased within the hour; the oldest goes first.
local function is_forgotten(account) return call('ZSCORE', T .. 'erased', account) and true or false end
local function note_forgotten(account)
  local key = T .. 'erased'
  if is_forgotten(account) then return end
  call('ZADD', key, text(now + FORGOTTEN), account)
  call('ZREMRANGEBYRANK', key, 0, -(MOST_FORGOTTEN + 1))
end

-- `un:<account>` has how many messages of each poster the account has not read.
local function count_unread(m)
  local unread = unread_by(m)
  for account in next, unread do
    if not m.unread[account] then add(T .. 'un:' .. account, m.poster, 1) end
  end
  for account in next, m.unread do
    local key = T .. 'un:' .. account
    if not unread[account] and add(key, m.poster, -1) <= 0 then call('HDEL', key, m.poster) end
  end
  m.unread = unread
end

-- Brings schedule, index, quotas and fates into step with a message; wipes it when it is over.
local function settle(m)
  if is_over(m) then
    wipe(T .. 'b:' .. m.id)
    for _, t in ipairs(m.slots) do finish(m, t, DONE) end
    call('DEL', T .. 'm:' .. m.id)
    call('ZREM', T .. 'due', m.id)
    for _, a in ipairs(accounts_of(m)) do call('ZREM', T .. 'in:' .. a, m.poster .. m.id) end
    call('SREM', T .. 'out:' .. m.poster, m.id)
    refund(m.poster, 1, m.charged)
    bury(m)
    count_unread(m)
    return
  end
  count_unread(m)
  local due = due_at(m)
  if due ~= m.due then call('ZADD', T .. 'due', text(due), m.id); m.due = due end
  local cost = cost_of(bytes_of(m), #m.slots)
  if cost < m.charged then refund(m.poster, 0, m.charged - cost); m.charged = cost end
  save(m)
end

-- A message whose leases and life are settled; nil when it is not held or that ended it.
local function ticked(id)
  local m = load_message(id)
  if not m then return nil end
  tick(m)
  if is_over(m) then settle(m); return nil end
  return m
end
