-- Queries, and the end of what is due.

-- account, live session or nothing
function OPS.waiting()
  local out = {}
  for _, id in ipairs(inbox(A[1])) do
    local m = load_message(id)
    local i = m and waiting_slot(m, A[1], A[2])
    if i then out[#out + 1] = item(m, m.slots[i]) end
  end
  return out
end

-- account: messages that only disconnected sessions could open, each with its poster
function OPS.stranded()
  local account, out = A[1], {}
  for _, id in ipairs(inbox(account)) do
    local m = load_message(id)
    local is_stranded = m and m.poster ~= account and now < m.exp and not was_read_by(m, account)
    for _, t in ipairs(m and m.slots or {}) do
      if t.account == account and t.left < 0 then is_stranded = false end
    end
    if is_stranded then out[#out + 1] = id .. m.poster end
  end
  return out
end

-- poster, how many, message that is not counted; then accounts
function OPS.holds_unread()
  local poster, most, beside = A[1], tonumber(A[2]), load_message(A[3])
  for i = 4, #A do
    local count = tonumber(call('HGET', T .. 'un:' .. A[i], poster) or 0)
    if beside and beside.poster == poster and beside.unread[A[i]] then count = count - 1 end
    if count >= most then return '1' end
  end
  return '0'
end

-- account: numbers of one-time prekeys
function OPS.prekeys()
  local out = {}
  for _, id in ipairs(inbox(A[1])) do
    local m = load_message(id)
    for _, t in ipairs(m and m.slots or {}) do
      local open = t.state == WAIT or t.state == CLAIMED
      if t.account == A[1] and open and t.prekey >= 0 then out[#out + 1] = text(t.prekey) end
    end
  end
  return out
end

-- poster; then ids: a letter and the end of each
function OPS.status()
  local poster, out = A[1], {}
  for i = 2, #A do
    local state, till = '?', 0
    local m = load_message(A[i])
    if m and m.poster == poster then
      till = m.exp
      state = m.acked == 1 and 'K' or now >= m.exp and 'X' or 'W'
      for _, t in ipairs(m.slots) do if is_claimed(t) then state = 'C' end end
    else
      local of, fate, until_ms = fate_of(A[i])
      if of == poster and now < until_ms then state, till = fate, until_ms end
    end
    out[#out + 1] = state .. text(math.floor(till / 1000))
  end
  return out
end

function OPS.stats()
  local q, _, due = call('HMGET', T .. 'q', 'm', 'b'), first_due()
  return text(tonumber(q[1] or 0)), text(tonumber(q[2] or 0)), text(call('ZCARD', T .. 'tt')),
    due and text(due) or ''
end

-- Reservations of instances that are gone: what they staged is wiped.
local function purge_stage(limit)
  for _, r in ipairs(call('ZRANGEBYSCORE', T .. 'stage', '-inf', text(now), 'LIMIT', 0, text(limit))) do
    local _, instance = reservation_of(r)
    if instance and is_alive(instance) then
      call('ZADD', T .. 'stage', text(now + STAGE), r)
    else
      release(r)
      call('ZREM', T .. 'stage', r)
    end
  end
end

-- how many messages at most
function OPS.purge()
  local limit, wiped, changed, more = tonumber(A[1]), 0, 0, 0
  while true do
    local id, due = first_due()
    if not id or due > now then break end
    if wiped + changed >= limit then more = 1; break end
    local m = ticked(id)
    if m then settle(m); changed = changed + 1 else wiped = wiped + 1 end
    -- Normally gone or moved by now. The same entry is never looked at twice, whatever happened.
    local again, at = first_due()
    if again == id and at == due then call('ZREM', T .. 'due', id) end
  end
  purge_stage(limit)
  for _, id in ipairs(call('ZRANGEBYSCORE', T .. 'te', '-inf', text(now), 'LIMIT', 0, text(limit))) do
    forget_fate(id)
  end
  call('ZREMRANGEBYSCORE', T .. 'erased', '-inf', text(now))
  return text(wiped), text(changed), text(more)
end

function OPS.forget_fates()
  for _, id in ipairs(call('ZRANGE', T .. 'tp:' .. A[1], 0, -1)) do forget_fate(id) end
  return 'ok'
end

-- account: wipes what waits for it and what it posted; returns the messages it was in
function OPS.forget_account()
  local account, ids, seen = A[1], {}, {}
  note_forgotten(account)
  for _, id in ipairs(inbox(account)) do ids[#ids + 1] = id; seen[id] = true end
  for _, id in ipairs(call('SMEMBERS', T .. 'out:' .. account)) do
    if not seen[id] then ids[#ids + 1] = id end
  end
  for _, id in ipairs(ids) do
    local m = ticked(id)
    for _, t in ipairs(m and m.slots or {}) do
      if (m.poster == account or t.account == account) and t.state ~= DONE then
        change('X', m, t)
        finish(m, t, DONE)
      end
    end
    if m then settle(m) end
  end
  OPS.forget_fates()
  return text(#ids)
end
