"""Liveness, readiness and metrics of a gateway replica."""

from litestar import Response, get
from litestar.handlers import HTTPRouteHandler
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest


def health_routes() -> list[HTTPRouteHandler]:
    """Make the routes that the balancer and the monitoring ask."""

    @get(["/health/live", "/health/ready"], include_in_schema=False)
    async def live() -> dict[str, str]:
        # it holds no connection of its own: a replica that answers is ready, and says page by
        # page which service is away
        return {"status": "ready"}

    @get("/metrics", include_in_schema=False)
    async def metrics() -> Response[bytes]:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return [live, metrics]
