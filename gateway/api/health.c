/*
 * health.c: /livez and /readyz on the traffic listener, and a word for who opens it in a browser.
 */
#include "api/health.h"

#include "api/answer_writer.h"
#include "core/health.h"
#include "core/snapshot.h"

enum { TEXT_MAX = 256 * 1024 };

enum stage_result health_live(struct txn *t)
{
	return answer_json(t, 200, STR("{\"status\":\"alive\"}\n"));
}

enum stage_result health_ready(struct txn *t)
{
	struct buf body = BUF_INIT(TEXT_MAX);
	bool verbose = str_eq(t->req->query, STR("verbose")) || str_starts(t->req->query, STR("verbose="));
	bool ready = health_readiness(t->snapshot, verbose, &body);
	enum stage_result r = answer_json(t, ready ? 200 : 503, buf_str(&body));
	buf_free(&body);
	return r;
}

enum stage_result health_root(struct txn *t)
{
	return answer_json(t, 200, STR("{\"weir\":\"" WEIR_VERSION "\",\"base_url\":\"/v1\","
				       "\"endpoints\":[\"/v1/chat/completions\",\"/v1/completions\",\"/v1/embeddings\","
				       "\"/v1/responses\",\"/v1/models\",\"/livez\",\"/readyz\"]}\n"));
}
