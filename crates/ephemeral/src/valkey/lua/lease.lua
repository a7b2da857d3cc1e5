-- Claims, and what the token of a claim allows.

-- What a reader is handed: the slot's target and its place, and the sizes of what lies there.
local function parcel(m, t, left)
  return 'ok', text(left), t.target, text(m.burn), text(math.floor(m.exp / 1000)), text(t.key), text(m.body),
    text(t.len)
end

-- id, account, live session or nothing, token
function OPS.claim()
  local id, account, live, token = A[1], A[2], A[3], A[4]
  local m = ticked(id)
  if not m then return 'gone' end
  local i, why = claimable(m, account, live)
  if not i then settle(m); return why end
  local t = m.slots[i]
  t.state, t.token, t.till, t.shown = CLAIMED, token, now + C.lease, 0
  t.lived, t.by = live == '' and 0 or 1, live == '' and NOBODY or live
  change('C', m, t)
  settle(m)
  return parcel(m, t, C.lease)
end

-- Ends a claim as read. The poster's own copy never burns the message for the others, except in a message
-- to oneself. The account's own slot ends too, because one of its sessions has read the message.
local function acknowledge(m, i)
  local t = m.slots[i]
  local account, to_oneself = t.account, true
  for _, x in ipairs(m.slots) do if x.account ~= m.poster then to_oneself = false end end
  local by_recipient = account ~= m.poster or to_oneself
  local burned = m.burn == 1 and by_recipient
  if by_recipient then m.acked = 1 end
  finish(m, t, DONE)
  for _, x in ipairs(m.slots) do
    if burned or (x.account == account and is_for_account(x.target)) then finish(m, x, DONE) end
  end
  event('K', m, t, burned and 1 or 0, 0, 0)
  after_claim(m, i)
  return burned
end

local LEASE = {}
function LEASE.fetch(m, i) return parcel(m, m.slots[i], math.max(m.slots[i].till - now, 0)) end
function LEASE.extend(m, i)
  local t = m.slots[i]
  t.till, t.shown = math.min(now + C.lease, m.exp + C.lease), 1
  return 'ok', text(math.max(t.till - now, 0))
end
function LEASE.acknowledge(m, i) return 'ok', acknowledge(m, i) and '1' or '0' end
function LEASE.cannot_open(m, i)
  finish(m, m.slots[i], UNOPEN)
  change('O', m, m.slots[i])
  after_claim(m, i)
  return 'ok'
end

-- id, account, token, what is asked
function OPS.lease()
  local id, account, token, what = A[1], A[2], A[3], A[4]
  local m = ticked(id)
  if not m then return 'gone' end
  local found
  for i, t in ipairs(m.slots) do
    if t.account == account and is_claimed(t) and t.token == token then found = i end
  end
  if not found then settle(m); return 'stale' end
  local answer = { LEASE[what](m, found) }
  settle(m)
  return unpack(answer)
end

-- Live sessions that connect and disconnect: what they had claimed and not shown waits again at once. A
-- message that burns and was being shown keeps its lease: it may be on the screen.
local function give_back(m, account, live)
  for i, t in ipairs(m.slots) do
    local claimed = t.state == CLAIMED and t.lived == 1 and t.by == live
    if t.account == account and claimed and not (m.burn == 1 and t.shown == 1) then
      t.state = WAIT
      change('R', m, t)
      after_claim(m, i)
    end
  end
end

local function own_slot(t, account, live)
  return not is_for_account(t.target) and t.account == account and string.sub(t.target, 18) == live
end

local function session_left(m, account, live)
  give_back(m, account, live)
  for _, t in ipairs(m.slots) do
    if own_slot(t, account, live) and t.state ~= DONE and t.left < 0 then
      t.left = now
      if not was_read_by(m, account) then change('L', m, t) end
    end
  end
end

local function session_back(m, account, live)
  give_back(m, account, live)
  for _, t in ipairs(m.slots) do
    if own_slot(t, account, live) then t.left = -1 end
  end
end

local function inbox(account)
  local ids = call('ZRANGE', T .. 'in:' .. account, 0, -1)
  for i, member in ipairs(ids) do ids[i] = string.sub(member, 17) end
  return ids
end

-- Changes what names a live session, as a target or as who claimed: few of what waits for an account do.
local function for_each_of(account, live, change_it)
  for _, id in ipairs(inbox(account)) do
    local s = call('GET', T .. 'm:' .. id)
    local m = s and string.find(s, live, 1, true) and ticked(id)
    if m then change_it(m); settle(m) end
  end
  return 'ok'
end

-- account, live session
function OPS.left()
  return for_each_of(A[1], A[2], function(m) session_left(m, A[1], A[2]) end)
end
function OPS.back()
  return for_each_of(A[1], A[2], function(m) session_back(m, A[1], A[2]) end)
end

-- id, account, live session: it was posted for a session that had disconnected before.
function OPS.never_reached()
  local held = call('EXISTS', T .. 'm:' .. A[1]) == 1
  local m = ticked(A[1])
  if m then session_left(m, A[2], A[3]); settle(m) end
  return held and 'ok' or 'gone'
end
