-- The state machine of one message.
local WAIT, CLAIMED, UNOPEN, DONE = 0, 1, 2, 3
local AWAY, FATE = 60000, 600000
local NOBODY = '\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0'

-- poster, sequence, expires, due, charged, burns, acknowledged, bytes of the body, slots, next slot's key
local HEAD, HEAD_LEN = '>c16ddddBBI4I2I4', 16 + 32 + 2 + 4 + 2 + 4
-- state, target, token, until, whether a live session claimed, which, shown, left, bytes, key, prekey
local SLOT, SLOT_LEN = '>Bc33c16dBc16BdI4I4d', 1 + 33 + 16 + 8 + 1 + 16 + 1 + 8 + 4 + 4 + 8

local function account_of(target) return string.sub(target, 2, 17) end
local function is_for_account(target) return string.byte(target) == 0 end

-- Accounts that have not read a message.
local function unread_by(m)
  local accounts = {}
  for _, t in ipairs(m.slots) do if t.state ~= DONE then accounts[t.account] = true end end
  return accounts
end

local function load_message(id)
  local s = call('GET', T .. 'm:' .. id)
  if not s then return nil end
  local m = { id = id, slots = {} }
  m.poster, m.seq, m.exp, m.due, m.charged, m.burn, m.acked, m.body, m.n, m.next = unpack_of(HEAD, s)
  local at = HEAD_LEN + 1
  for i = 1, m.n do
    local t = {}
    t.state, t.target, t.token, t.till, t.lived, t.by, t.shown, t.left, t.len, t.key, t.prekey =
      unpack_of(SLOT, s, at)
    t.account = account_of(t.target)
    m.slots[i] = t
    at = at + SLOT_LEN
  end
  m.unread = unread_by(m)
  return m
end

local function save(m)
  local out = { pack(HEAD, m.poster, m.seq, m.exp, m.due, m.charged, m.burn, m.acked, m.body, #m.slots, m.next) }
  for i, t in ipairs(m.slots) do
    out[i + 1] = pack(SLOT, t.state, t.target, t.token, t.till, t.lived, t.by, t.shown, t.left, t.len,
      t.key, t.prekey)
  end
  call('SET', T .. 'm:' .. m.id, table.concat(out))
end

local function new_slot(target, prekey, len, key)
  return { state = WAIT, target = target, account = account_of(target), token = NOBODY, till = 0, lived = 0,
    by = NOBODY, shown = 0, left = -1, len = len, key = key, prekey = prekey }
end

local function slot_key(m, t) return T .. 's:' .. m.id .. ':' .. text(t.key) end

local function finish(m, t, state)
  if t.len > 0 then wipe(slot_key(m, t)); t.len = 0 end
  t.state = state
end

local function bytes_of(m)
  local sum = m.body
  for _, t in ipairs(m.slots) do sum = sum + t.len end
  return sum
end

-- Bytes that count toward the bounds: 512 for a message and 512 for each slot, beside the ciphertext.
local function cost_of(bytes, slots) return bytes + 512 + 512 * slots end

local function accounts_of(m)
  local seen, out = {}, {}
  for _, t in ipairs(m.slots) do
    if not seen[t.account] then seen[t.account] = true; out[#out + 1] = t.account end
  end
  return out
end

-- An event or an item, in the layout that the instances decode.
local function layout(kind, m, t, first, second, size)
  return kind .. m.id .. m.poster .. t.target
    .. pack('>BBdd', first, second, size, math.floor(m.exp / 1000))
end
local function item(m, t) return layout('A', m, t, m.burn, 0, m.body + t.len) end

local function event(kind, m, t, first, second, size)
  local bytes = layout(kind, m, t, first, second, size)
  EVENTS[#EVENTS + 1] = bytes
  local once, framed = {}, frame('E', bytes)
  if kind ~= 'A' then tell_others(m.poster, framed, once) end
  if kind == 'A' or t.account ~= m.poster then tell_others(t.account, framed, once) end
end
local function change(kind, m, t) event(kind, m, t, 0, 0, 0) end
local function available(m, t, is_new) event('A', m, t, m.burn, is_new, m.body + t.len) end

-- Announces what the end of a claim makes claimable again.
local function after_claim(m, i)
  local account = m.slots[i].account
  for j, t in ipairs(m.slots) do
    if (j == i or (m.burn == 1 and t.account == account)) and t.state == WAIT then available(m, t, 0) end
  end
end

local function was_read_by(m, account)
  for _, t in ipairs(m.slots) do
    if t.account == account and t.state == DONE then return true end
  end
  return false
end

-- When a slot is of no use any more: its session is gone and its account has read the message.
local function useless_at(m, t)
  if t.left >= 0 and was_read_by(m, t.account) then return t.left + AWAY end
  return math.huge
end

local function is_idle(t) return t.state == WAIT or t.state == UNOPEN end
local function is_claimed(t) return t.state == CLAIMED and now < t.till end

-- Ends expired leases, and the message if its life is over.
local function tick(m)
  local over = now >= m.exp
  for i, t in ipairs(m.slots) do
    local ended = false
    if t.state == CLAIMED and t.till <= now then
      t.state = WAIT
      if not over then change('R', m, t); after_claim(m, i) end
      ended = over
    elseif is_idle(t) then
      ended = over
    end
    if ended then change('X', m, t); finish(m, t, DONE) end
  end
  for _, t in ipairs(m.slots) do
    if is_idle(t) and useless_at(m, t) <= now then finish(m, t, DONE) end
  end
end

local function is_over(m)
  for _, t in ipairs(m.slots) do if t.state ~= DONE then return false end end
  return true
end

local function due_at(m)
  local due
  for _, t in ipairs(m.slots) do
    local at
    if is_idle(t) then at = math.min(m.exp, useless_at(m, t)) elseif t.state == CLAIMED then at = t.till end
    if at and (not due or at < due) then due = at end
  end
  return due or m.exp
end

-- The slot that a reader may claim now, or why there is none; `live` is empty without a live session.
local function claimable(m, account, live)
  local own, any, taken, mine = nil, nil, false, false
  for i, t in ipairs(m.slots) do
    if t.account == account then
      mine = true
      if is_claimed(t) then taken = true end
      if is_for_account(t.target) then any = i
      elseif live ~= '' and string.sub(t.target, 18) == live then own = i end
    end
  end
  if not mine then return nil, 'notforyou' end
  if now >= m.exp then return nil, taken and 'taken' or 'gone' end
  if m.burn == 1 and taken then return nil, 'taken' end
  if own and any and m.slots[own].state == UNOPEN then own = nil end
  local i = own or any
  if not i then return nil, 'notforyou' end
  local t = m.slots[i]
  if is_claimed(t) then return nil, 'taken' end
  if t.state == WAIT or t.state == CLAIMED then return i end
  return nil, 'gone'
end

-- The slot that waits for a reader; without a live session, anything that waits for the account.
local function waiting_slot(m, account, live)
  local i = claimable(m, account, live)
  if i or live ~= '' then return i end
  for _, t in ipairs(m.slots) do
    if t.account == account and (t.state == WAIT or t.state == CLAIMED) and not is_claimed(t) then
      return (claimable(m, account, is_for_account(t.target) and '' or string.sub(t.target, 18)))
    end
  end
end
