/*
 * redis_script.c: reserve and settle as Lua scripts, which Redis runs without anything in between.
 *
 * A call's records are read by one MGET, each of its reservations is judged on what those before it left, and then
 * the records are written, once. The first write is one that a Redis out of memory or read-only refuses: nothing is
 * done by halves. What lapsed is let go of when somebody is refused, and now and then. Times are the server's.
 *
 * Records are strings of 64-bit integers, of which only the first four are looked at unless time
 * has moved on to another sub-bucket; Lua is slow where it loops.
 */
#include "store/redis_script.h"

#define COMMON \
"-- Names of one's own are found faster than those of all.\n" \
"local call, pack, unpack_bytes, rep, sub = redis.call, struct.pack, struct.unpack, string.rep, string.sub\n" \
"local DAY, HOUR, MAX, ZEROS = 86400000, 3600000, 9007199254740991, rep('\\0', 128)\n" \
"local time = call('TIME')\n" \
"local now = time[1] * 1000000 + time[2]\n" \
"local live, lapsed, op, names, items = KEYS[1], KEYS[2], ARGV[1], ARGV[4], ARGV[5]\n" \
"local n = #ARGV[3] / 32\n" \
"local numbers = '<' .. rep('i8', n)\n" \
"local b = { unpack_bytes('<' .. rep('i8', 4 * n), ARGV[3]) }\n" \
"local raws, reserved, spent, head, newest, rest, fresh = {}, {}, {}, {}, {}, {}, {}\n" \
"\n" \
"local function amount(x) return x < 0 and 0 or x > MAX and MAX or x end\n" \
"\n" \
"-- Of the item at a place: its numbers there, and as whom it is remembered.\n" \
"local function amounts(at) return { unpack_bytes(numbers, items, at) } end\n" \
"local function member(at) return sub(items, at, at + 15 + 8 * n) .. names end\n" \
"\n" \
"-- A record: reserved; of a window then the newest sub-bucket, the sum, the newest count, 16 older ones;\n" \
"-- of a budget the period's start, what is spent in it, the period's end. Read into the present.\n" \
"local function read(i)\n" \
"  local raw, at = raws[i], 4 * i - 3\n" \
"  local kind, from = b[at], b[at + 2]\n" \
"  local r, h, s, x\n" \
"  if not raw then\n" \
"    -- MGET says nil of a key of another type, too: what is new must not be there.\n" \
"    if call('EXISTS', KEYS[2 + i]) == 1 then return false end\n" \
"    r, s, x = 0, 0, 0\n" \
"    if kind <= 1 then\n" \
"      h, rest[i] = (now - now % (from * 62500)) / (from * 62500), ZEROS\n" \
"    elseif kind == 3 then\n" \
"      h, x, rest[i] = from, b[at + 3], ''\n" \
"    end\n" \
"  elseif kind == 2 then\n" \
"    if #raw ~= 8 then return false end\n" \
"    r, s = unpack_bytes('<i8', raw), 0\n" \
"  else\n" \
"    if #raw ~= (kind == 3 and 32 or 160) then return false end\n" \
"    r, h, s, x = unpack_bytes('<i8i8i8i8', raw)\n" \
"    if h < 0 or s < 0 or s > MAX or x < 0 or x > MAX then return false end\n" \
"    if kind == 3 then\n" \
"      -- A later period begins; or an earlier one than one that is far ahead: then a clock was wrong.\n" \
"      if from > h or h > b[at + 3] and h * 1000000 > now then h, s, x, rest[i] = from, 0, b[at + 3], '' end\n" \
"    else\n" \
"      local width = from * 62500\n" \
"      local bucket = (now - now % width) / width\n" \
"      local moved = bucket - h\n" \
"      h = bucket\n" \
"      -- A clock that was set back keeps the ages of the counts.\n" \
"      if moved > 16 then\n" \
"        s, x, rest[i] = 0, 0, ZEROS\n" \
"      elseif moved > 0 then\n" \
"        local gone = { unpack_bytes('<' .. rep('i8', moved), raw, 161 - 8 * moved) }\n" \
"        for j = 1, moved do s = s - gone[j] end\n" \
"        if s < 0 then return false end\n" \
"        rest[i] = sub(ZEROS, 1, 8 * moved - 8) .. sub(raw, 25, 160 - 8 * moved)\n" \
"        x = 0\n" \
"      end\n" \
"    end\n" \
"  end\n" \
"  if r < 0 or r > MAX then return false end\n" \
"  reserved[i], head[i], spent[i], newest[i] = r, h, s, x\n" \
"  fresh[i] = fresh[i] or (raw and 0 or 1)\n" \
"  return true\n" \
"end\n" \
"\n" \
"-- All records; without `lenient` the first that is none of ours is returned by its key.\n" \
"local function load(lenient)\n" \
"  local broken = false\n" \
"  if n > 0 then raws = call('MGET', unpack(KEYS, 3, 2 + n)) end\n" \
"  for i = 1, n do\n" \
"    if not read(i) then\n" \
"      if not lenient then return KEYS[2 + i] end\n" \
"      reserved[i], broken = nil, true\n" \
"    end\n" \
"  end\n" \
"  return broken\n" \
"end\n" \
"\n" \
"local function spend(i, x)\n" \
"  local kind, sum = b[4 * i - 3], amount(spent[i] + x)\n" \
"  if kind <= 1 then newest[i] = newest[i] + (sum - spent[i]) end\n" \
"  if kind ~= 2 then spent[i] = sum end\n" \
"end\n" \
"\n" \
"-- A record is written whole when its sub-bucket or its period is a new one, which also says how long it is kept: that long,\n" \
"-- and one sub-bucket more, in which only its head is written. Words for the usual times: numbers are slow to spell.\n" \
"local function write(i)\n" \
"  local kind, r, key, tail = b[4 * i - 3], reserved[i], KEYS[2 + i], rest[i]\n" \
"  if kind == 2 then\n" \
"    call('SET', key, pack('<i8', r), 'PX', r > 0 and '86400000' or '60000')\n" \
"    return\n" \
"  end\n" \
"  local raw = pack('<i8i8i8i8', r, head[i], spent[i], newest[i])\n" \
"  if not tail then\n" \
"    call('SETRANGE', key, '0', raw)\n" \
"  elseif kind <= 1 then\n" \
"    local span = b[4 * i - 1]\n" \
"    call('SET', key, raw .. tail, 'PX', span > 3300 and math.max(math.ceil(span * 1062.5), DAY) or\n" \
"      r > 0 and '86400000' or '3600000')\n" \
"  elseif newest[i] == 0 then\n" \
"    call('SET', key, raw)\n" \
"  else\n" \
"    call('SET', key, raw, 'PX', math.max(0, math.floor(newest[i] * 1000 - now / 1000)) + DAY)\n" \
"  end\n" \
"end\n" \
"\n" \
"local function say(...) return pack('<' .. rep('i8', select('#', ...)), ...) end\n"

#define HOLDS \
"-- Takes what a reservation holds off its records; with `requests`, the requests it spent, too.\n" \
"local function let_go(m, requests)\n" \
"  local prefix, many = sub(live, 1, -5) .. 'l:', string.byte(m, -1) or 0\n" \
"  local pos = 17 + 8 * many\n" \
"  for i = 1, many do\n" \
"    local ours, kind, key, after = pcall(unpack_bytes, '<BHc0', m, pos)\n" \
"    if not ours then return end\n" \
"    local x = unpack_bytes('<i8', m, 9 + 8 * i)\n" \
"    key, pos = prefix .. key, after\n" \
"    local raw = redis.pcall('GET', key)\n" \
"    ours = type(raw) == 'string' and (#raw == 8 or #raw == 32 or #raw == 160)\n" \
"    if ours and kind > 0 then\n" \
"      local left = math.max(0, unpack_bytes('<i8', raw) - x)\n" \
"      call('SET', key, pack('<i8', left) .. sub(raw, 9), 'KEEPTTL')\n" \
"    elseif ours and requests and #raw == 160 then\n" \
"      local sum = unpack_bytes('<i8', raw, 17)\n" \
"      for at = 25, 153, 8 do\n" \
"        local count = unpack_bytes('<i8', raw, at)\n" \
"        if count >= x and sum >= x then\n" \
"          raw = sub(raw, 1, at - 1) .. pack('<i8', count - x) .. sub(raw, at + 8)\n" \
"          raw = sub(raw, 1, 16) .. pack('<i8', sum - x) .. sub(raw, 25)\n" \
"          call('SET', key, raw, 'KEEPTTL')\n" \
"          break\n" \
"        end\n" \
"      end\n" \
"    end\n" \
"  end\n" \
"end\n" \
"\n" \
"local function due() return call('ZRANGEBYSCORE', live, '-inf', now, 'LIMIT', 0, 100) end\n" \
"\n" \
"-- A lapsed reservation is remembered for an hour: what it cost may still be told. The sets first: a key of another\n" \
"-- type is an error before anything is written.\n" \
"local function sweep(members)\n" \
"  if not members[1] then return end\n" \
"  for _, m in ipairs(members) do\n" \
"    call('ZADD', lapsed, now + HOUR * 1000, m)\n" \
"    let_go(m, false)\n" \
"    call('ZREM', live, m)\n" \
"  end\n" \
"  call('ZREMRANGEBYSCORE', lapsed, '-inf', now)\n" \
"  call('PEXPIRE', lapsed, 2 * HOUR)\n" \
"end\n" \
"\n" \
"local function hold(x, requests)\n" \
"  for i = 1, n do\n" \
"    if b[4 * i - 3] > 0 then\n" \
"      reserved[i] = amount(reserved[i] + x[i])\n" \
"    elseif requests then\n" \
"      spend(i, x[i])\n" \
"    end\n" \
"  end\n" \
"end\n" \
"\n" \
"-- Writes what is held now; `held` are the members, each behind the time at which it lapses.\n" \
"local function keep(held)\n" \
"  if not held[1] then return end\n" \
"  call('ZADD', live, unpack(held))\n" \
"  for i = 1, n do write(i) end\n" \
"end\n" \
"\n" \
"local function alien(key) return redis.error_reply('WEIRBROKEN ' .. key) end\n"

const char *const redis_scripts[REDIS_SCRIPTS] = {
[REDIS_RESERVE] = COMMON HOLDS
"local function wait_for(i, x)\n"
"  local at, others = 4 * i - 3, 1000000\n"
"  local kind, limit, from = b[at], b[at + 1], b[at + 2]\n"
"  if x > limit then return -1 end\n"
"  if spent[i] + x <= limit then return others end\n"
"  if kind == 3 then\n"
"    if newest[i] == 0 then return -1 end\n"
"    return newest[i] * 1000000 > now and newest[i] * 1000000 - now or others\n"
"  end\n"
"  local counts = { newest[i], unpack_bytes('<' .. rep('i8', 16), rest[i] or sub(raws[i], 33)) }\n"
"  local freed, excess = 0, spent[i] + reserved[i] - (limit - x)\n"
"  for j = 17, 1, -1 do\n"
"    freed = freed + counts[j]\n"
"    if freed >= excess then return (head[i] - j + 18) * from * 62500 - now end\n"
"  end\n"
"  return others\n"
"end\n"
"\n"
"-- Of the limits reached the one with the longest wait.\n"
"local function judge(x)\n"
"  local refused, longest = -1, 0\n"
"  for i = 1, n do\n"
"    if spent[i] + reserved[i] + x[i] > b[4 * i - 2] then\n"
"      local wait = wait_for(i, x[i])\n"
"      if longest ~= -1 and (wait == -1 or wait > longest) then refused, longest = i - 1, wait end\n"
"    end\n"
"  end\n"
"  return refused, longest\n"
"end\n"
"\n"
"if op == 'P' or now % 16 == 0 then sweep(due()) end\n"
"local broken = load(false)\n"
"if broken then return alien(broken) end\n"
"local out, held, swept = { say(now, unpack(fresh, 1, n)) }, {}, false\n"
"local lapses, told = now + tonumber(ARGV[2]), '<' .. rep('i8', 3 + 2 * n)\n"
"for at = 1, #items, 16 + 8 * n do\n"
"  local x = amounts(at + 16)\n"
"  local refused, retry = judge(x)\n"
"  if refused >= 0 and not swept then\n"
"    local members = due()\n"
"    swept = true\n"
"    if members[1] then\n"
"      keep(held)\n"
"      sweep(members)\n"
"      load(false)\n"
"      refused, retry = judge(x)\n"
"    end\n"
"  end\n"
"  if refused < 0 and op == 'R' then\n"
"    hold(x, true)\n"
"    held[#held + 1] = lapses\n"
"    held[#held + 1] = member(at)\n"
"  end\n"
"  local t = { refused < 0 and 0 or 1, refused, retry }\n"
"  for i = 1, n do t[2 * i + 2], t[2 * i + 3] = spent[i], reserved[i] end\n"
"  out[#out + 1] = pack(told, unpack(t))\n"
"end\n"
"keep(held)\n"
"return table.concat(out)\n",

[REDIS_SETTLE] = COMMON
"-- An item: id, what was reserved, what it came to. 'C' counts once for each id, reserved or not.\n"
"if op == 'C' and not call('SET', KEYS[#KEYS], '1', 'NX', 'PX', HOUR) then return say(now, 2) end\n"
"local broken, changed = load(true), false\n"
"local out, seen, gone, gone_late = { say(now) }, {}, {}, {}\n"
"for at = 1, #items, 16 + 16 * n do\n"
"  local m = member(at)\n"
"  local held = not seen[m] and call('ZSCORE', live, m)\n"
"  local late = not seen[m] and not held and call('ZSCORE', lapsed, m)\n"
"  seen[m] = true\n"
"  if held or late or op == 'C' then\n"
"    local was, real = amounts(at + 16), amounts(at + 16 + 8 * n)\n"
"    for i = 1, n do\n"
"      if reserved[i] then\n"
"        local kind = b[4 * i - 3]\n"
"        if held and kind > 0 then reserved[i] = math.max(0, reserved[i] - was[i]) end\n"
"        if kind > 0 or not (held or late) then spend(i, real[i]) end\n"
"      end\n"
"    end\n"
"    changed = true\n"
"    local ended = held and gone or late and gone_late\n"
"    if ended then ended[#ended + 1] = m end\n"
"    out[#out + 1] = say(broken and 3 or 0)\n"
"  else\n"
"    out[#out + 1] = say(2)\n"
"  end\n"
"end\n"
"for i = 1, changed and n or 0 do\n"
"  if reserved[i] then write(i) end\n"
"end\n"
"if gone[1] then call('ZREM', live, unpack(gone)) end\n"
"if gone_late[1] then call('ZREM', lapsed, unpack(gone_late)) end\n"
"return table.concat(out)\n",

[REDIS_CARE] = COMMON HOLDS
"sweep(due())\n"
"if op == 'L' then\n"
"  local out = { say(now) }\n"
"  for at = 1, #items, 16 + 8 * n do\n"
"    local m = member(at)\n"
"    if call('ZREM', live, m) == 1 then let_go(m, true) end\n"
"    out[#out + 1] = say(0)\n"
"  end\n"
"  return table.concat(out)\n"
"end\n"
"local x, m = amounts(17), member(1)\n"
"if op == 'D' then\n"
"  local broken = load(false)\n"
"  if broken then return alien(broken) end\n"
"  if head[1] == b[3] and spent[1] < x[1] then\n"
"    spent[1] = x[1]\n"
"    write(1)\n"
"  end\n"
"  return say(now, 0)\n"
"end\n"
"local lapses = now + tonumber(ARGV[2])\n"
"if call('ZSCORE', live, m) then\n"
"  call('ZADD', live, lapses, m)\n"
"  return say(now, 0)\n"
"end\n"
"if not call('ZSCORE', lapsed, m) then return say(now, 2) end\n"
"local broken = load(false)\n"
"if broken then return alien(broken) end\n"
"hold(x, false)\n"
"keep({ lapses, m })\n"
"call('ZREM', lapsed, m)\n"
"return say(now, 0)\n",

[REDIS_TALLY] =
"-- KEYS: the day's sums by name; bits of the numbers told already by one of the tellers.\n"
"-- ARGV: 'U', number, name, name when there are too many, six counts. Or 'V': all sums.\n"
"local rows, told, op = KEYS[1], KEYS[2], ARGV[1]\n"
"if op == 'V' then\n"
"  local all, out = redis.call('HGETALL', rows), {}\n"
"  for i = 1, #all, 2 do\n"
"    local name, sums = all[i], all[i + 1]\n"
"    if #sums == 48 then out[#out + 1] = struct.pack('<I2', #name) .. name .. sums end\n"
"  end\n"
"  return table.concat(out)\n"
"end\n"
"local time = redis.call('TIME')\n"
"local now = time[1] * 1000000 + time[2]\n"
"local name, before = ARGV[3], redis.call('HGET', rows, ARGV[3])\n"
"if redis.call('SETBIT', told, ARGV[2], 1) == 1 then return struct.pack('<i8i8', now, 2) end\n"
"redis.call('PEXPIRE', told, 7200000)\n"
"if not before then\n"
"  if redis.call('HLEN', rows) >= 20000 then\n"
"    name = ARGV[4]\n"
"    before = redis.call('HGET', rows, name)\n"
"  end\n"
"end\n"
"local sums = { struct.unpack('<i8i8i8i8i8i8', ARGV[5]) }\n"
"if before and #before == 48 then\n"
"  local old = { struct.unpack('<i8i8i8i8i8i8', before) }\n"
"  for i = 1, 6 do sums[i] = math.min(sums[i] + old[i], 9007199254740991) end\n"
"end\n"
"redis.call('HSET', rows, name, struct.pack('<i8i8i8i8i8i8', unpack(sums, 1, 6)))\n"
"if not before then redis.call('PEXPIRE', rows, 34560000000) end\n"
"return struct.pack('<i8i8', now, name == ARGV[3] and 0 or 4)\n",
};
