-- How a function is entered. Every answer is what it returns and the events of this instance.
local function entry(operation)
  return function(_, args)
    T, now, ME, EVENTS, OUT, ENGINE_MS = args[1], tonumber(args[3]), args[5], {}, {}, nil
    if args[2] ~= '' and call('GET', T .. 'epoch') ~= args[2] then
      return redis.error_reply('EPOCH another epoch of this node')
    end
    local c = {}
    c.lease, c.account_m, c.account_b, c.total_m, c.total_b, c.message_b, c.slots, c.fates, c.account_fates =
      unpack_of('>ddddddddd', args[4])
    C, A = c, {}
    for i = 6, #args do A[i - 5] = args[i] end
    local answer = { operation() }
    if type(answer[1]) == 'table' then answer = answer[1] end
    send_all()
    return { answer, EVENTS }
  end
end
