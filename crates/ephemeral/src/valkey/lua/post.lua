-- Posting. What is uploaded lies at `b:<r>` and `s:<r>:<n>` under the name of its reservation until it is
-- renamed, which copies nothing. `stage` has when each reservation is looked at by the purge.
local STAGE = 60000

local function reservation_of(r)
  local s = call('GET', T .. 'r:' .. r)
  if not s then return nil end
  return unpack_of('>c16c16dI4', s)
end

local function end_reservation(r)
  call('DEL', T .. 'r:' .. r)
  call('ZREM', T .. 'stage', r)
end

-- Wipes what lies under a name, of so many slots.
local function wipe_staged(r, slots)
  wipe(T .. 'b:' .. r)
  for i = 0, slots - 1 do wipe(T .. 's:' .. r .. ':' .. text(i)) end
end

local function release(r)
  local poster, _, bytes, slots = reservation_of(r)
  if not poster then return end
  wipe_staged(r, slots)
  end_reservation(r)
  if bytes > 0 then refund(poster, 1, bytes) end
end

-- poster, bytes (none for slots that are added later), name, slots
function OPS.reserve()
  local poster, bytes, r, slots = A[1], tonumber(A[2]), A[3], tonumber(A[4])
  if bytes > 0 then
    local full = charge(poster, 1, bytes)
    if full then return full, text(retry_after()) end
  end
  call('SET', T .. 'r:' .. r, pack('>c16c16dI4', poster, ME, bytes, slots))
  call('ZADD', T .. 'stage', text(now + STAGE), r)
  return 'ok'
end

function OPS.release() release(A[1]); return 'ok' end

local function any_forgotten(poster, accounts)
  if is_forgotten(poster) then return true end
  for _, a in ipairs(accounts) do if is_forgotten(a) then return true end end
  return false
end

local function enter_inboxes(m)
  for _, a in ipairs(accounts_of(m)) do
    call('ZADD', T .. 'in:' .. a, text(m.seq), m.poster .. m.id)
  end
end

-- name, id, life, whether it burns, bytes of the body; then target, prekey and bytes of each slot
function OPS.commit()
  local r, id, life, burn, body = A[1], A[2], tonumber(A[3]), tonumber(A[4]), tonumber(A[5])
  local n = (#A - 5) / 3
  local poster, _, reserved, staged = reservation_of(r)
  if not poster then
    wipe_staged(r, n)
    return 'lost'
  end
  local m = { id = id, poster = poster, exp = now + life, due = now + life, charged = reserved, burn = burn,
    acked = 0, body = body, slots = {}, next = n, unread = {} }
  for i = 0, n - 1 do
    m.slots[i + 1] = new_slot(A[6 + 3 * i], tonumber(A[7 + 3 * i]), tonumber(A[8 + 3 * i]), i)
  end
  local why
  if cost_of(bytes_of(m), n) > reserved then why = 'overreserved'
  elseif call('EXISTS', T .. 'm:' .. id) == 1 or is_buried(id) then why = 'duplicate'
  elseif any_forgotten(poster, accounts_of(m)) then why = 'erased'
  elseif call('STRLEN', T .. 'b:' .. r) ~= body then why = 'lost' end
  for i, t in ipairs(m.slots) do
    if not why and call('STRLEN', T .. 's:' .. r .. ':' .. text(i - 1)) ~= t.len then why = 'lost' end
  end
  if why then
    wipe_staged(r, math.max(n, staged))
    release(r)
    return why, text(cost_of(bytes_of(m), n)), text(reserved)
  end
  if body > 0 then call('RENAME', T .. 'b:' .. r, T .. 'b:' .. id) end
  for i, t in ipairs(m.slots) do
    if t.len > 0 then call('RENAME', T .. 's:' .. r .. ':' .. text(i - 1), slot_key(m, t)) end
  end
  end_reservation(r)
  m.seq = call('INCR', T .. 'seq')
  call('ZADD', T .. 'due', text(m.due), id)
  call('SADD', T .. 'out:' .. poster, id)
  enter_inboxes(m)
  settle(m)
  for _, t in ipairs(m.slots) do available(m, t, 1) end
  return 'ok', text(math.floor(m.exp / 1000))
end

-- The slot of a message with this target, and whether another one may take its place.
local function slot_for(m, target)
  for j, t in ipairs(m.slots) do
    if t.target == target then return j, is_idle(t) end
  end
end

-- What adding slots is refused for; `new` has target, prekey and bytes of each.
local function refusal_of_slots(m, poster, new)
  if not m or m.poster ~= poster then return 'gone' end
  local accounts, fresh, bytes = {}, 0, bytes_of(m)
  for i, s in ipairs(new) do
    accounts[i] = account_of(s[1])
    local at, replaceable = slot_for(m, s[1])
    if not at then fresh = fresh + 1; bytes = bytes + s[3]
    elseif replaceable then bytes = bytes - m.slots[at].len + s[3] end
  end
  if any_forgotten(poster, accounts) then return 'erased' end
  if #m.slots + fresh > C.slots then return 'toomany' end
  if bytes > C.message_b then return 'toolarge', text(bytes) end
end

local function put_slots(m, r, new)
  for i, s in ipairs(new) do
    local at, replaceable = slot_for(m, s[1])
    local staged = T .. 's:' .. r .. ':' .. text(i - 1)
    if at and not replaceable then
      wipe(staged)
    else
      if at then finish(m, m.slots[at], DONE) end
      local t = new_slot(s[1], s[2], s[3], m.next)
      m.next = m.next + 1
      if t.len > 0 then call('RENAME', staged, slot_key(m, t)) end
      m.slots[at or #m.slots + 1] = t
      available(m, t, 1)
    end
  end
end

-- id, poster: whether slots may be added, asked before they are sent.
function OPS.may_add()
  local m = load_message(A[1])
  return m and m.poster == A[2] and 'ok' or 'gone'
end

-- id, poster, name; then target, prekey and bytes of each slot
function OPS.add_slots()
  local id, poster, r, new, sum = A[1], A[2], A[3], {}, 0
  for i = 4, #A, 3 do
    new[#new + 1] = { A[i], tonumber(A[i + 1]), tonumber(A[i + 2]) }
    sum = sum + tonumber(A[i + 2])
  end
  local function refuse(why, more)
    wipe_staged(r, #new)
    end_reservation(r)
    return why, more
  end
  local first = load_message(id)
  if not first or first.poster ~= poster then return refuse('gone') end
  if not reservation_of(r) then return refuse('lost') end
  local charged = sum + 512 * #new
  local full = charge(poster, 0, charged)
  if full then return refuse(full, text(retry_after())) end
  local m = ticked(id)
  local why, more = refusal_of_slots(m, poster, new)
  if why then
    if m then settle(m) end
    refund(poster, 0, charged)
    return refuse(why, more)
  end
  m.charged = m.charged + charged
  put_slots(m, r, new)
  end_reservation(r)
  enter_inboxes(m)
  settle(m)
  return 'ok'
end
