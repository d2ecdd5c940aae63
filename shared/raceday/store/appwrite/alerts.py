"""All that alerts need of the store, on Appwrite."""

from __future__ import annotations

from raceday.store.appwrite.alert_backlog import AppwriteAlertBacklog
from raceday.store.appwrite.alert_configs import AppwriteAlertConfigs
from raceday.store.appwrite.alert_history import AppwriteAlertHistory
from raceday.store.appwrite.deliveries import AppwriteDeliveries
from raceday.store.appwrite.notifications import AppwriteNotifications


class AppwriteAlerts(
    AppwriteAlertConfigs, AppwriteAlertHistory, AppwriteNotifications, AppwriteDeliveries, AppwriteAlertBacklog
):
    """The operations of `AlertStore`.

    An event reads with three calls at most (configurations, prices, buckets) and tells with four, whatever it tells.
    """
